//! Tests of the leases of calls with a store in memory and a paused clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;

use super::*;

/// A store in memory, which can be away.
#[derive(Clone, Default)]
struct MemoryStore {
    entries: Arc<Mutex<HashMap<String, LeaseEntry>>>,
    last: Arc<Mutex<u64>>,
    is_away: Arc<AtomicBool>,
}

impl LeaseStore for MemoryStore {
    fn get<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<Option<LeaseEntry>, StoreFailed>> {
        async move {
            if self.is_away.load(Ordering::SeqCst) {
                return Err(StoreFailed);
            }
            Ok(self.entries.lock().expect("one thread").get(call).cloned())
        }
        .boxed()
    }

    fn set<'a>(
        &'a self,
        call: &'a str,
        value: Bytes,
        revision: Option<u64>,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreFailed>> {
        async move {
            if self.is_away.load(Ordering::SeqCst) {
                return Err(StoreFailed);
            }
            let mut entries = self.entries.lock().expect("one thread");
            if entries.get(call).map(|entry| entry.revision) != revision {
                return Ok(None);
            }
            let mut last = self.last.lock().expect("one thread");
            *last += 1;
            let stored =
                Timestamp::from_second(i64::try_from(*last).expect("few")).expect("a time");
            entries.insert(call.to_owned(), LeaseEntry { value, revision: *last, stored });
            Ok(Some(*last))
        }
        .boxed()
    }
}

fn leases(store: &MemoryStore, name: &str, run: u64) -> Arc<CallLeases> {
    Arc::new(CallLeases::new(Box::new(store.clone()), name, run))
}

/// Acquires a call and renews its lease until it is lost.
fn own(leases: &Arc<CallLeases>) -> tokio::task::JoinHandle<Option<Timestamp>> {
    let leases = Arc::clone(leases);
    tokio::spawn(async move {
        let lease = leases.acquire("CA1").await.expect("the call goes on");
        leases.keep("CA1").await;
        lease.observed_until
    })
}

#[tokio::test(start_paused = true)]
async fn one_tap_owns_a_call_and_another_takes_over_after_its_death() {
    let store = MemoryStore::default();
    let (east, west) = (leases(&store, "east", 1), leases(&store, "west", 2));
    let owner = own(&east);
    sleep(TTL).await;
    let waiting = own(&west);
    sleep(10 * TTL).await;
    assert_eq!((east.check("CA1", 1), east.epoch("CA1")), (LeaseCheck::Valid, Some(1)));
    assert_eq!((west.check("CA1", 1), west.epoch("CA1")), (LeaseCheck::Lost, None));

    owner.abort();
    sleep(VALIDITY).await;
    assert_eq!(east.check("CA1", 1), LeaseCheck::Lapsed, "nothing is published without renewal");
    let renewals = *store.last.lock().expect("one thread");
    sleep(2 * TTL).await;
    assert_eq!(west.epoch("CA1"), Some(renewals + 1), "the epoch of a later owner is higher");
    assert_eq!(west.check("CA1", renewals + 1), LeaseCheck::Valid);
    assert_eq!(west.check("CA1", 1), LeaseCheck::Lost, "events of another epoch are not published");
    waiting.abort();
}

#[tokio::test(start_paused = true)]
async fn an_owner_pauses_while_the_store_is_away_and_stops_if_another_took_over() {
    let store = MemoryStore::default();
    let (east, west) = (leases(&store, "east", 1), leases(&store, "west", 2));
    let owner = own(&east);
    sleep(TTL).await;
    store.is_away.store(true, Ordering::SeqCst);
    sleep(10 * TTL).await;
    assert_eq!(east.check("CA1", 1), LeaseCheck::Lapsed);
    store.is_away.store(false, Ordering::SeqCst);
    sleep(TTL).await;
    assert_eq!((east.check("CA1", 1), east.epoch("CA1")), (LeaseCheck::Valid, Some(1)));

    // Another tap wins the race after the next outage.
    store.is_away.store(true, Ordering::SeqCst);
    sleep(TTL).await;
    let (value, last) = {
        let entries = store.entries.lock().expect("one thread");
        (west.value(LeaseState::Held), entries["CA1"].revision)
    };
    store.is_away.store(false, Ordering::SeqCst);
    assert_eq!(store.set("CA1", value, Some(last)).await, Ok(Some(last + 1)));
    owner.await.expect("it notices");
    assert_eq!(east.check("CA1", 1), LeaseCheck::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_is_taken_over_at_once_or_never_again() {
    let store = MemoryStore::default();
    let (east, west) = (leases(&store, "east", 1), leases(&store, "west", 2));
    let lease = east.acquire("CA1").await.expect("it is free");
    assert_eq!(lease.observed_until, None);
    east.give_up("CA1", false).await;
    let begun = Instant::now();
    let lease = west.acquire("CA1").await.expect("the call goes on");
    assert!(lease.observed_until.is_some() && begun.elapsed() < TTL);
    west.give_up("CA1", true).await;
    let epoch = west.epoch("CA1").expect("it has owned the call");
    assert_eq!(west.check("CA1", epoch), LeaseCheck::Valid, "its events may wait to be published");
    assert!(east.acquire("CA1").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn all_leases_are_given_up_at_the_end_of_a_run_and_not_renewed_any_more() {
    let store = MemoryStore::default();
    let (east, west) = (leases(&store, "east", 1), leases(&store, "west", 2));
    let owner = own(&east);
    sleep(2 * TTL).await;
    east.release().await;
    let begun = Instant::now();
    let lease = west.acquire("CA1").await.expect("the call goes on");
    assert!(lease.observed_until.is_some() && begun.elapsed() < TTL);
    let keeping = tokio::spawn({
        let west = Arc::clone(&west);
        async move { west.keep("CA1").await }
    });
    sleep(10 * TTL).await;
    let epoch = west.epoch("CA1").expect("it owns the call");
    assert_eq!(west.check("CA1", epoch), LeaseCheck::Valid, "the first owner leaves it alone");
    assert!(!owner.is_finished() && !keeping.is_finished());

    // A store that is away does not keep a run from ending.
    store.is_away.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    west.release().await;
    assert!(begun.elapsed() <= RELEASE_TIMEOUT);
}
