//! The values of jq programs.

use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::budget::{self, HeldBytes, MAX_DEPTH};
use super::jq_text::JqText;
use super::number::Number;

/// A value of a jq program. Copies share strings, arrays and objects.
#[derive(Debug, Clone, Default)]
pub enum JqValue {
    /// Null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(JqText),
    /// An array.
    Array(JqArray),
    /// An object.
    Object(JqObject),
}

const _: () = assert!(size_of::<JqValue>() == 16, "arrays of values take little memory");

/// An array.
#[derive(Debug, Clone)]
pub struct JqArray(Arc<ArrayBlock>);

#[derive(Debug)]
struct ArrayBlock {
    items: Vec<JqValue>,
    shape: Shape,
    held: HeldBytes,
}

/// An object, whose members keep their order.
#[derive(Debug, Clone)]
pub struct JqObject(Arc<ObjectBlock>);

type Members = IndexMap<JqText, JqValue, RandomState>;

#[derive(Debug)]
struct ObjectBlock {
    members: Members,
    shape: Shape,
    held: HeldBytes,
}

/// Upper bounds for the work that it takes to visit everything in a container. Shared parts count
/// as often as they occur.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    depth: u32,
    weight: u64,
}

impl Shape {
    fn add(&mut self, value: &JqValue) {
        self.weight = self.weight.saturating_add(value.weight()).saturating_add(ITEM_WEIGHT);
        let depth = value.depth() + 1;
        if depth > self.depth {
            self.depth = depth;
            if depth > MAX_DEPTH {
                budget::exhaust();
            }
        }
    }

    fn remove(&mut self, value: &JqValue) {
        // A saturated weight stays saturated, so that it remains an upper bound.
        if self.weight != u64::MAX {
            self.weight = self.weight.saturating_sub(value.weight().saturating_add(ITEM_WEIGHT));
        }
    }
}

const ITEM_WEIGHT: u64 = size_of::<JqValue>() as u64;

impl JqValue {
    /// Creates a string.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(JqText::new(text.into()))
    }

    /// Creates an array.
    #[must_use]
    pub fn array(items: Vec<Self>) -> Self {
        Self::Array(JqArray::new(items))
    }

    /// Returns whether jq takes the value for true: anything but null and false.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// Returns the name of the type, as in jq's `type`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Returns the text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// Returns an upper bound of the bytes that are visited when the value is visited.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self {
            Self::Null | Self::Bool(_) => 0,
            Self::Number(number) => number.weight(),
            Self::Text(text) => text.len() as u64,
            Self::Array(array) => array.0.shape.weight,
            Self::Object(object) => object.0.shape.weight,
        }
    }

    /// Returns an upper bound of the levels of arrays and objects in the value.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::Array(array) => array.0.shape.depth,
            Self::Object(object) => object.0.shape.depth,
            _ => 0,
        }
    }
}

impl ArrayBlock {
    fn new(items: Vec<JqValue>) -> Self {
        let held = HeldBytes::new(size_of::<Self>() + items.capacity() * size_of::<JqValue>());
        let mut shape = Shape { depth: 1, weight: 0 };
        for item in &items {
            shape.add(item);
        }
        Self { items, shape, held }
    }

    fn recount(&mut self) {
        self.held.set(size_of::<Self>() + self.items.capacity() * size_of::<JqValue>());
    }
}

impl JqArray {
    /// Creates an array.
    #[must_use]
    pub fn new(items: Vec<JqValue>) -> Self {
        let can_go_on = budget::pay((items.len() * size_of::<JqValue>()) as u64);
        Self(Arc::new(ArrayBlock::new(if can_go_on { items } else { Vec::new() })))
    }

    /// Returns the block for changes, after copying it if something else shares it. The array may
    /// be empty afterwards if the evaluation is exhausted.
    fn unshare(&mut self) -> &mut ArrayBlock {
        if Arc::get_mut(&mut self.0).is_none() {
            let bytes = self.len() * size_of::<JqValue>();
            let can_copy = budget::pay(bytes as u64) && budget::has_room(bytes);
            let items = if can_copy { self.0.items.clone() } else { Vec::new() };
            let mut copy = ArrayBlock::new(items);
            copy.shape.depth = self.0.shape.depth;
            self.0 = Arc::new(copy);
        }
        // The block is not shared now, so this never allocates.
        Arc::get_mut(&mut self.0).expect("the array is not shared")
    }

    /// Makes room for `more` items. Returns false if there is none.
    fn reserve(block: &mut ArrayBlock, more: usize) -> bool {
        if block.items.capacity() - block.items.len() < more {
            let length = block.items.len();
            let grown = length.saturating_add(more).max(length + length / 2).max(4);
            if !budget::has_room(grown.saturating_mul(size_of::<JqValue>())) {
                return false;
            }
            block.items.reserve_exact(grown - length);
            block.recount();
        }
        true
    }

    /// Appends items.
    pub fn extend(&mut self, more: &[JqValue]) {
        if !budget::pay(size_of_val(more) as u64) {
            return;
        }
        let block = self.unshare();
        if Self::reserve(block, more.len()) {
            for item in more {
                block.shape.add(item);
                block.items.push(item.clone());
            }
        }
    }

    /// Appends an item.
    pub fn push(&mut self, item: JqValue) {
        let block = self.unshare();
        if Self::reserve(block, 1) {
            block.shape.add(&item);
            block.items.push(item);
        }
    }

    /// Replaces an item by null and returns it; null if there is none.
    pub fn take(&mut self, index: usize) -> JqValue {
        if index >= self.len() {
            return JqValue::Null;
        }
        let block = self.unshare();
        let taken = block.items.get_mut(index).map(std::mem::take).unwrap_or_default();
        block.shape.remove(&taken);
        block.shape.add(&JqValue::Null);
        taken
    }

    /// Sets an item, after appending nulls up to its index.
    pub fn set(&mut self, index: usize, value: JqValue) {
        let block = self.unshare();
        if index >= block.items.len() {
            let more = index + 1 - block.items.len();
            if !budget::pay((more * size_of::<JqValue>()) as u64) || !Self::reserve(block, more) {
                return;
            }
            block.items.resize(index + 1, JqValue::Null);
            block.shape.weight = block.shape.weight.saturating_add(ITEM_WEIGHT * more as u64);
        }
        let slot = &mut block.items[index];
        block.shape.remove(slot);
        block.shape.add(&value);
        *slot = value;
    }

    /// Removes an item, if it exists.
    pub fn remove(&mut self, index: usize) {
        if index < self.len() && budget::pay((self.len() * size_of::<JqValue>()) as u64) {
            let block = self.unshare();
            if index < block.items.len() {
                let removed = block.items.remove(index);
                block.shape.remove(&removed);
            }
        }
    }
}

impl Deref for JqArray {
    type Target = [JqValue];

    fn deref(&self) -> &[JqValue] {
        &self.0.items
    }
}

impl FromIterator<JqValue> for JqArray {
    fn from_iter<I: IntoIterator<Item = JqValue>>(items: I) -> Self {
        let mut array = Self(Arc::new(ArrayBlock::new(Vec::new())));
        for item in items {
            if budget::is_exhausted() {
                break;
            }
            array.push(item);
        }
        let _ = budget::pay((array.len() * size_of::<JqValue>()) as u64);
        array
    }
}

/// The approximate memory of one member, in bytes.
const MEMBER_BYTES: usize = 56;

impl Default for JqObject {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl ObjectBlock {
    fn recount(&mut self) {
        self.held.set(size_of::<Self>() + self.members.capacity() * MEMBER_BYTES);
    }
}

impl JqObject {
    /// Creates an empty object with room for some members.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let mut block = ObjectBlock {
            members: Members::with_capacity_and_hasher(capacity, RandomState::default()),
            shape: Shape { depth: 1, weight: 0 },
            held: HeldBytes::default(),
        };
        block.recount();
        Self(Arc::new(block))
    }

    fn unshare(&mut self) -> &mut ObjectBlock {
        if Arc::get_mut(&mut self.0).is_none() {
            let bytes = self.len() * MEMBER_BYTES;
            let can_copy = budget::pay(bytes as u64) && budget::has_room(bytes);
            let members = if can_copy { self.0.members.clone() } else { Members::default() };
            let mut block =
                ObjectBlock { members, shape: self.0.shape, held: HeldBytes::default() };
            block.recount();
            self.0 = Arc::new(block);
        }
        Arc::get_mut(&mut self.0).expect("the object is not shared")
    }

    /// Sets a member. A new member becomes the last one.
    pub fn insert(&mut self, key: JqText, value: JqValue) {
        let block = self.unshare();
        if block.members.len() == block.members.capacity()
            && !budget::has_room((block.members.len() * 2 + 4) * MEMBER_BYTES)
        {
            return;
        }
        block.shape.add(&value);
        let length = key.len() as u64;
        match block.members.insert(key, value) {
            Some(replaced) => block.shape.remove(&replaced),
            None => block.shape.weight = block.shape.weight.saturating_add(length + ITEM_WEIGHT),
        }
        if !block.held.is(size_of::<ObjectBlock>() + block.members.capacity() * MEMBER_BYTES) {
            block.recount();
        }
    }

    /// Returns a member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&JqValue> {
        self.0.members.get(key)
    }

    /// Replaces a member by null and returns it; `None` if there is none.
    pub fn take(&mut self, key: &str) -> Option<JqValue> {
        self.get(key)?;
        let block = self.unshare();
        let taken = block.members.get_mut(key).map(std::mem::take)?;
        block.shape.remove(&taken);
        block.shape.add(&JqValue::Null);
        Some(taken)
    }

    /// Removes a member, if it exists. The others keep their order.
    pub fn remove(&mut self, key: &str) {
        if self.get(key).is_some() && budget::pay((self.len() * size_of::<JqValue>()) as u64) {
            let block = self.unshare();
            if let Some(removed) = block.members.shift_remove(key) {
                block.shape.remove(&removed);
            }
        }
    }

    /// Returns the number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.members.len()
    }

    /// Returns whether the object has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the members in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&JqText, &JqValue)> {
        self.0.members.iter()
    }

    /// Returns the member at a position.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<(&JqText, &JqValue)> {
        self.0.members.get_index(position)
    }

    /// Returns the members in the order of their keys.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&JqText, &JqValue)> {
        let mut members: Vec<_> = self.iter().collect();
        members.sort_unstable_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
        members
    }
}

impl From<bool> for JqValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<isize> for JqValue {
    fn from(integer: isize) -> Self {
        Self::Number(Number::from(integer as i64))
    }
}

impl From<usize> for JqValue {
    fn from(integer: usize) -> Self {
        Self::Number(Number::from(i64::try_from(integer).unwrap_or(i64::MAX)))
    }
}

impl From<f64> for JqValue {
    fn from(float: f64) -> Self {
        Self::Number(Number::Float(float))
    }
}

impl From<String> for JqValue {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl FromIterator<Self> for JqValue {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

/// The object that describes a slice, as a path contains it.
impl From<std::ops::Range<Option<Self>>> for JqValue {
    fn from(range: std::ops::Range<Option<Self>>) -> Self {
        let mut object = JqObject::with_capacity(2);
        object.insert("start".into(), range.start.unwrap_or_default());
        object.insert("end".into(), range.end.unwrap_or_default());
        Self::Object(object)
    }
}
