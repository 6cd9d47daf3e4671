//! The keys that rules remember, each once for all rules.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A key of a workspace in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(u32);

impl KeyId {
    /// Returns a hash for tables of keys.
    #[must_use]
    pub const fn hash(self) -> u64 {
        // Multiplicative hashing: the high bits are good, and tables use the low ones too.
        let product = (self.0 as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        product ^ product >> 32
    }
}

/// A key and who uses it.
struct TableKey {
    text: Arc<str>,
    /// The number of the workspace.
    workspace: u32,
    /// The number of rules that remember something of the key.
    uses: u32,
}

/// The keys that rules remember something of.
///
/// An event that concerns many rules is looked up once by the text of its key; the rules use the id.
#[derive(Default)]
pub struct KeyTable {
    ids: HashTable<u32>,
    keys: Vec<TableKey>,
    free: Vec<u32>,
    hasher: RandomState,
}

impl KeyTable {
    /// Returns the id of a key that is in use.
    #[must_use]
    pub fn find(&self, workspace: u32, text: &str) -> Option<KeyId> {
        let is_it = |id: &u32| {
            let key = &self.keys[*id as usize];
            key.workspace == workspace && *key.text == *text
        };
        self.ids.find(self.hash(workspace, text), is_it).copied().map(KeyId)
    }

    /// Returns the id of a key, which is in use until it is [released](Self::release).
    pub fn take(&mut self, workspace: u32, text: &str) -> KeyId {
        if let Some(id) = self.find(workspace, text) {
            self.retain(id);
            return id;
        }
        let key = TableKey { text: Arc::from(text), workspace, uses: 1 };
        let id = if let Some(id) = self.free.pop() {
            self.keys[id as usize] = key;
            id
        } else {
            self.keys.push(key);
            u32::try_from(self.keys.len() - 1).unwrap_or(u32::MAX)
        };
        let hash = self.hash(workspace, text);
        let Self { ids, keys, hasher, .. } = self;
        ids.insert_unique(hash, id, |id| {
            let key = &keys[*id as usize];
            hasher.hash_one((key.workspace, &*key.text))
        });
        KeyId(id)
    }

    /// Notes another use of a key.
    pub fn retain(&mut self, id: KeyId) {
        self.keys[id.0 as usize].uses += 1;
    }

    /// Ends a use of a key, which is forgotten after the last one.
    pub fn release(&mut self, id: KeyId) {
        let key = &mut self.keys[id.0 as usize];
        key.uses -= 1;
        if key.uses > 0 {
            return;
        }
        let (text, workspace) = (std::mem::take(&mut key.text), key.workspace);
        let hash = self.hash(workspace, &text);
        if let Ok(entry) = self.ids.find_entry(hash, |known| *known == id.0) {
            entry.remove();
        }
        self.free.push(id.0);
    }

    /// Returns the text of a key.
    #[must_use]
    pub fn text(&self, id: KeyId) -> &Arc<str> {
        &self.keys[id.0 as usize].text
    }

    /// Returns the number of the workspace of a key.
    #[must_use]
    pub fn workspace(&self, id: KeyId) -> u32 {
        self.keys[id.0 as usize].workspace
    }

    fn hash(&self, workspace: u32, text: &str) -> u64 {
        self.hasher.hash_one((workspace, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_while_it_is_used() {
        let mut table = KeyTable::default();
        let first = table.take(1, "a");
        let others: Vec<_> = (0..1000).map(|number| table.take(2, &format!("a{number}"))).collect();
        assert_eq!((table.find(1, "a"), table.take(1, "a")), (Some(first), first));
        assert_eq!((table.find(2, "a"), table.find(2, "a7")), (None, Some(others[7])));
        table.release(first);
        assert_eq!((&**table.text(first), table.workspace(first)), ("a", 1), "it has another use");
        table.release(first);
        table.release(others[7]);
        assert_eq!((table.find(1, "a"), table.find(2, "a7")), (None, None));
        let next = table.take(3, "b");
        assert_eq!((table.find(3, "b"), next), (Some(next), others[7]), "places are used again");
        assert_eq!(table.find(2, "a999"), Some(others[999]));
    }
}
