//! The share of the workspaces that one of several processes taps.
//!
//! Workspaces are assigned by rendezvous hashing (highest random weight): each shard has a weight
//! for each workspace, and the shard with the highest weight has the workspace. No process needs to
//! know of another. If a shard is added, workspaces move only to it.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The maximum number of shards. Assigning a workspace takes a hash for each of them.
const MAX_SHARDS: u32 = 1000;

/// One shard of several: the value of `--shard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `count`.
    number: u32,
    count: u32,
}

impl Shard {
    /// Returns whether a workspace belongs to this shard. Its id is in lower case.
    #[must_use]
    pub fn has(self, workspace: &str) -> bool {
        let own = weight(workspace, self.number);
        (1..=self.count).filter(|other| *other != self.number).all(|other| {
            let theirs = weight(workspace, other);
            own > theirs || own == theirs && self.number < other
        })
    }
}

/// Returns the weight of a shard for a workspace: the first eight bytes, in network byte order, of
/// the SHA-256 of the id in lower case, a slash and the number of the shard.
///
/// The number of shards is no part of it, so the weights stay when shards are added.
fn weight(workspace: &str, shard: u32) -> u64 {
    let digest = Sha256::new()
        .chain_update(workspace)
        .chain_update("/")
        .chain_update(shard.to_string())
        .finalize();
    digest.iter().take(8).fold(0, |weight, byte| weight << 8 | u64::from(*byte))
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            let advice = "write it like 2/3, which is the second of three shards";
            Error::usage(format!("cannot use the shard {text:?}"), why, advice)
        };
        let numbers = text.split_once('/').and_then(|(number, count)| {
            let read = |digits: &str| {
                digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
            };
            Some((read(number)?, read(count)?))
        });
        match numbers {
            None => Err(wrong("it is not two numbers with a slash between them".to_owned())),
            Some((_, count)) if !(1..=MAX_SHARDS).contains(&count) => {
                Err(wrong(format!("the number of shards is from 1 to {MAX_SHARDS}")))
            }
            Some((number, count)) if !(1..=count).contains(&number) => {
                Err(wrong(format!("there is no shard {number} among {count}")))
            }
            Some((number, count)) => Ok(Self { number, count }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::emulator::demo_workspace;

    fn owner(workspace: &str, count: u32) -> u32 {
        let owners: Vec<_> =
            (1..=count).filter(|number| Shard { number: *number, count }.has(workspace)).collect();
        assert_eq!(owners.len(), 1, "{workspace} belongs to {owners:?}");
        owners[0]
    }

    proptest! {
        #[test]
        fn each_workspace_has_one_shard_and_moves_only_to_a_new_one(
            workspace in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            count in 1_u32..40,
        ) {
            let (before, after) = (owner(&workspace, count), owner(&workspace, count + 1));
            prop_assert!(after == before || after == count + 1);
        }
    }

    #[test]
    fn an_added_shard_takes_its_share() {
        const WORKSPACES: u32 = 10_000;
        for count in [1, 2, 3, 7, 16] {
            let new = Shard { number: count + 1, count: count + 1 };
            let moved = (1..=WORKSPACES).filter(|number| new.has(&demo_workspace(*number))).count();
            let share = f64::from(WORKSPACES) / f64::from(count + 1);
            let ratio = f64::from(u32::try_from(moved).expect("few")) / share;
            assert!((0.85..1.15).contains(&ratio), "{moved} of {share} moved to {new}");
        }
    }

    /// The assignment is documented and must not change: another version of evtap may run the other
    /// shards. `printf %s ID/1 | sha256sum | cut -c -16` gives the same weights.
    #[test]
    fn the_weights_are_as_documented() {
        let workspace = demo_workspace(1);
        assert_eq!(weight(&workspace, 1), WEIGHT_1);
        assert_eq!(weight(&workspace, 2), WEIGHT_2);
    }

    const WEIGHT_1: u64 = 0x529b_82ae_49d3_15a5;
    const WEIGHT_2: u64 = 0xb45e_84ce_fbe4_55f8;

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!("2/3".parse(), Ok(Shard { number: 2, count: 3 }));
        assert_eq!("1/1".parse::<Shard>().map(|shard| shard.to_string()), Ok("1/1".to_owned()));
        for wrong in [
            "", "2", "0/3", "4/3", "1/0", "1/1001", "+1/3", "1/ 3", "a/b", "1/2/3", "-1/3", "/",
            "1/",
        ] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
