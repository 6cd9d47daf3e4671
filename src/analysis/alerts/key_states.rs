//! What a rule remembers of each key, in the order of use.

use hashbrown::HashTable;

use super::key_table::KeyId;
use super::millis::Millis;

/// The place that stands for no place.
pub const NOWHERE: u32 = u32::MAX;

/// What a rule remembers of a key.
pub struct KeyState<S> {
    /// The key.
    pub key: KeyId,
    /// The state of the rule.
    pub state: S,
    /// The time of its timer; the greatest time if it has none.
    timer: Millis,
    /// Its place among the raised alerts; [`NOWHERE`] if it is not raised.
    pub raised: u32,
    /// The memory that it counts for, in bytes.
    pub bytes: u32,
    /// The memory of the state besides its own size, in bytes.
    pub heap_bytes: u32,
    newer: u32,
    older: u32,
}

impl<S> KeyState<S> {
    /// Returns the time of its timer.
    pub fn timer(&self) -> Option<Millis> {
        (self.timer != Millis::MAX).then_some(self.timer)
    }

    /// Sets the time of its timer. Returns whether it had one.
    pub const fn set_timer(&mut self, at: Option<Millis>) -> bool {
        let before = self.timer;
        self.timer = match at {
            Some(at) => at,
            None => Millis::MAX,
        };
        before != Millis::MAX
    }
}

/// The states of a rule's keys. Each has a place, which another key gets when it is removed.
pub struct KeyStates<S> {
    places: HashTable<u32>,
    entries: Vec<KeyState<S>>,
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
}

impl<S: Default> KeyStates<S> {
    /// The memory that a key takes at most, in bytes: the entry, its place in the table, and its
    /// place among the free ones. A vector can have twice the room that it needs.
    pub const BYTES: usize = 2 * size_of::<KeyState<S>>() + 12 + 8;

    /// Creates states of no keys.
    pub const fn new() -> Self {
        Self {
            places: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            newest: NOWHERE,
            oldest: NOWHERE,
        }
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the place of a key.
    pub fn find(&self, key: KeyId) -> Option<u32> {
        self.places.find(key.hash(), |place| self.entries[*place as usize].key == key).copied()
    }

    /// Returns the entry at a place.
    pub fn get(&self, place: u32) -> &KeyState<S> {
        &self.entries[place as usize]
    }

    /// Returns the entry at a place.
    pub fn get_mut(&mut self, place: u32) -> &mut KeyState<S> {
        &mut self.entries[place as usize]
    }

    /// Adds a key that is not there yet, as the one that was used last.
    pub fn insert(&mut self, key: KeyId) -> u32 {
        let entry = KeyState {
            key,
            state: S::default(),
            timer: Millis::MAX,
            raised: NOWHERE,
            bytes: 0,
            heap_bytes: 0,
            newer: NOWHERE,
            older: NOWHERE,
        };
        let place = if let Some(place) = self.free.pop() {
            self.entries[place as usize] = entry;
            place
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).unwrap_or(NOWHERE)
        };
        let Self { places, entries, .. } = self;
        places.insert_unique(key.hash(), place, |place| entries[*place as usize].key.hash());
        self.link(place);
        place
    }

    /// Notes that a key was used.
    pub fn touch(&mut self, place: u32) {
        if self.newest != place {
            self.unlink(place);
            self.link(place);
        }
    }

    /// Removes a key and returns its state.
    pub fn remove(&mut self, place: u32) -> S {
        self.unlink(place);
        let key = self.entries[place as usize].key;
        if let Ok(entry) = self.places.find_entry(key.hash(), |known| *known == place) {
            entry.remove();
        }
        self.free.push(place);
        let entry = &mut self.entries[place as usize];
        entry.timer = Millis::MAX;
        std::mem::take(&mut entry.state)
    }

    /// Returns the place of the key that was not used for the longest time.
    pub const fn oldest(&self) -> Option<u32> {
        if self.oldest == NOWHERE { None } else { Some(self.oldest) }
    }

    /// Iterates over the entries, beginning with the one that was not used for the longest time.
    pub fn iter(&self) -> impl Iterator<Item = &KeyState<S>> {
        let entry = |place: u32| self.entries.get(place as usize);
        std::iter::successors(entry(self.oldest), move |last| entry(last.newer))
    }

    fn link(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.newest, place);
        match self.entries.get_mut(before as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
        let entry = &mut self.entries[place as usize];
        (entry.older, entry.newer) = (before, NOWHERE);
    }

    fn unlink(&mut self, place: u32) {
        let KeyState { newer, older, .. } = self.entries[place as usize];
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entries.get_mut(newer as usize) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key_table::KeyTable;
    use super::*;

    #[test]
    fn the_key_that_was_not_used_for_the_longest_time_is_the_oldest() {
        let (mut table, mut states) = (KeyTable::default(), KeyStates::<u8>::new());
        let keys: Vec<_> = (0..4).map(|number| table.take(0, &format!("{number}"))).collect();
        let order = |states: &KeyStates<u8>| -> Vec<String> {
            states.iter().map(|entry| table.text(entry.key).to_string()).collect()
        };
        let places: Vec<_> = keys.iter().map(|key| states.insert(*key)).collect();
        assert_eq!((order(&states).concat(), states.oldest()), ("0123".into(), Some(places[0])));
        for place in [0, 2, 2] {
            states.touch(places[place]);
        }
        assert_eq!(order(&states).concat(), "1302");
        states.get_mut(places[3]).state = 7;
        assert_eq!((states.remove(places[3]), states.find(keys[3])), (7, None));
        assert_eq!((order(&states).concat(), states.len()), ("102".into(), 3));
        for key in [1, 2, 0] {
            states.remove(states.find(keys[key]).expect("a place"));
        }
        assert_eq!((order(&states).len(), states.oldest()), (0, None));
        states.insert(keys[3]);
        assert_eq!(order(&states), ["3"]);
    }
}
