//! What `curl -N` captured of an SSE stream. It takes the path of a live stream, but in pieces.

use std::io::Result;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::Pieces;
use crate::source::framer::{self, Body, Parser};
use crate::source::sse::{CONTROL, control};
use crate::source::{Change, Fault, Form, Item, Lent, News, Notes, Origin, Piece, RawFrame};

/// Hands over the frames of a capture, all that one read has ended at once. What its end cuts off is reported, since nothing
/// will bring it again.
pub(super) fn frames(first: BytesMut, pieces: &mut Pieces<'_>, limit: usize, tx: &Lent) -> Result<()> {
    let mut parser = Parser::new("", limit);
    let origin = Arc::default();
    let mut next = Ok(Some(first));
    while let Ok(Some(piece)) = next {
        let frames = parser.push(&piece);
        pieces.lent.push_back(piece.freeze());
        if !hand_over(frames, &origin, tx) {
            return Ok(());
        }
        next = pieces.next(&[]);
    }
    if parser.unfinished() > 0 {
        let cut_off = raw(&origin, Bytes::new(), Some((Fault::CutOff, parser.unfinished())));
        let _ = tx.blocking_send(Item::Piece(Piece::Frames(Arc::new([cut_off]))));
    }
    next.map(|_| ())
}

/// False if nobody takes them.
fn hand_over(frames: Vec<framer::Frame>, origin: &Arc<Origin>, tx: &Lent) -> bool {
    let mut ready = Vec::with_capacity(frames.len());
    let send = |ready: &mut Vec<RawFrame>| {
        ready.is_empty() || tx.blocking_send(Item::Piece(Piece::Frames(ready.drain(..).collect()))).is_ok()
    };
    for frame in frames {
        let raw = match frame.body {
            Body::Empty => continue,
            // The server's word to its client is no event: the captured connection ended there.
            Body::Data(data) if frame.event.as_deref() == Some(CONTROL) => {
                let change = Change::Ended { why: control(&data).why().to_owned() };
                let news = Item::News(News { origin: Arc::clone(origin), change });
                if !send(&mut ready) || tx.blocking_send(news).is_err() {
                    return false;
                }
                continue;
            }
            Body::Data(data) => raw(origin, Bytes::from(data), None),
            Body::TooLarge(length) => raw(origin, Bytes::new(), Some((Fault::TooLarge, length))),
        };
        let id = (!frame.last_event_id.is_empty()).then_some(frame.last_event_id);
        ready.push(RawFrame { event: frame.event, id, ..raw });
    }
    send(&mut ready)
}

fn raw(origin: &Arc<Origin>, data: Bytes, fault: Option<(Fault, u64)>) -> RawFrame {
    RawFrame {
        origin: Arc::clone(origin),
        form: Form::Sse,
        event: None,
        id: None,
        data,
        received_at: None,
        fault,
        offset: 0,
        notes: Notes::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FRAME_LIMIT, channel};

    /// The data of the frames in each item, by its length; no length for news.
    fn items(capture: &str) -> Vec<Option<Vec<usize>>> {
        let (tx, mut rx) = channel(100);
        let mut reader = capture.as_bytes();
        let mut pieces = Pieces::of(&mut reader);
        let first = pieces.beginning().expect("no failure").expect("something");
        frames(first, &mut pieces, FRAME_LIMIT, &tx.lend()).expect("no failure");
        drop(tx);
        let length = |item| match item {
            Item::Piece(piece) => Some(piece.frames(&Origin::default()).map(|frame| frame.data.len()).collect()),
            Item::Frame(_) => panic!("one by one is slow"),
            Item::News(_) | Item::Recording(_) => None,
        };
        std::iter::from_fn(|| rx.blocking_recv()).map(length).collect()
    }

    #[test]
    fn what_is_read_at_once_is_handed_over_at_once_and_news_in_its_place() {
        let event = "retry: 3\n\ndata: {}\n\n";
        assert_eq!(items(&event.repeat(1000)), [Some(vec![2; 1000])]);
        let ended = "event: error\ndata: {}\n\n";
        let capture = [&event.repeat(3), ended, ended, event, "data: {"].concat();
        assert_eq!(items(&capture), [Some(vec![2; 3]), None, None, Some(vec![2]), Some(vec![0])]);
    }
}
