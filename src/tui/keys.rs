//! The key bindings as one table. Key presses are looked up in it, and the help and the footer are
//! generated from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::screen::Screen;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    Quit,
    Back,
    Suspend,
    Help,
    Screen(Screen),
    NextScreen,
    PreviousScreen,
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Open,
    Into,
    Out,
    Grow,
    Shrink,
    Pause,
    Search,
    Next,
    Previous,
    Filter,
    ToggleFilter,
    AddToFilter,
    OnlyCall,
    OpenCall,
    Reverse,
    Fold,
    NextError,
    PreviousError,
    Mark,
    NextMark,
    PreviousMark,
    Time,
    Wrap,
    Columns,
    Command,
    GoTo,
    Hold,
    Step,
    Faster,
    Slower,
    Copy,
    Save,
}

/// An action and the keys that trigger it.
#[derive(Debug, Clone, Copy)]
pub struct KeyBinding {
    /// The keys.
    pub keys: &'static [(KeyCode, KeyModifiers)],
    /// The names of the keys in the help, separated by a space.
    pub name: &'static str,
    /// What the keys do.
    pub action: KeyAction,
    /// The description of the action in the help.
    pub help: &'static str,
}

/// A heading of the help and the bindings below it, in one or more parts.
pub type KeyGroup = (&'static str, &'static [&'static [KeyBinding]]);

/// A footer hint: an action, and what it does on the current screen in a word or two.
pub type KeyHint = (KeyAction, &'static str);

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

const fn key(character: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(character), NONE)
}

const fn ctrl(character: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(character), CTRL)
}

const fn code(code: KeyCode) -> (KeyCode, KeyModifiers) {
    (code, NONE)
}

macro_rules! bindings {
    ($($name:literal [$($key:expr),+] $action:expr, $help:literal;)+) => {
        &[$(KeyBinding { keys: &[$($key),+], name: $name, action: $action, help: $help }),+]
    };
}

/// The number keys, one per screen.
const DIGITS: &[(&str, [(KeyCode, KeyModifiers); 1])] = &[
    ("1", [key('1')]),
    ("2", [key('2')]),
    ("3", [key('3')]),
    ("4", [key('4')]),
    ("5", [key('5')]),
    ("6", [key('6')]),
    ("7", [key('7')]),
    ("8", [key('8')]),
    ("9", [key('9')]),
];

const fn screen_binding(at: usize) -> KeyBinding {
    let (name, keys) = &DIGITS[at];
    let screen = Screen::ALL[at];
    KeyBinding { keys, name, action: KeyAction::Screen(screen), help: screen.description() }
}

/// One binding for each screen, generated from the table of screens.
const SCREEN_BINDINGS: [KeyBinding; Screen::COUNT] = {
    let mut bindings = [screen_binding(0); Screen::COUNT];
    let mut at = 1;
    while at < Screen::COUNT {
        bindings[at] = screen_binding(at);
        at += 1;
    }
    bindings
};

/// All key bindings, grouped by heading.
pub const TABLE: &[KeyGroup] = &[
    (
        "Movement",
        &[bindings! {
            "j ↓" [key('j'), code(KeyCode::Down)] KeyAction::Down, "move down";
            "k ↑" [key('k'), code(KeyCode::Up)] KeyAction::Up, "move up; stop following";
            "g Home" [key('g'), code(KeyCode::Home)] KeyAction::Top, "go to the oldest";
            "G End" [key('G'), code(KeyCode::End)] KeyAction::Bottom, "go to the newest, and follow";
            "PgDn ^F" [code(KeyCode::PageDown), ctrl('f')] KeyAction::PageDown, "move a page down";
            "PgUp ^B" [code(KeyCode::PageUp), ctrl('b')] KeyAction::PageUp, "move a page up";
            "^D" [ctrl('d')] KeyAction::HalfDown, "move half a page down";
            "^U" [ctrl('u')] KeyAction::HalfUp, "move half a page up";
            "e" [key('e')] KeyAction::NextError, "go to the next error";
            "E" [key('E')] KeyAction::PreviousError, "go to the previous error";
            "m" [key('m')] KeyAction::Mark, "set or remove a mark";
            "u" [key('u')] KeyAction::NextMark, "go to the next mark";
            "U" [key('U')] KeyAction::PreviousMark, "go to the previous mark";
        }],
    ),
    (
        "Search and filter",
        &[bindings! {
            "/" [key('/')] KeyAction::Search, "search the stream for a regular expression, or filter the rows of another list by a text; case-sensitive only with an upper-case letter";
            "n" [key('n')] KeyAction::Next, "go to the next match";
            "N" [key('N')] KeyAction::Previous, "go to the previous match";
            "f" [key('f')] KeyAction::Filter, "edit the filter: words, types such as call.*, a jq expression or @name; ↑ ↓ recall earlier filters";
            "F" [key('F')] KeyAction::ToggleFilter, "turn the filter off or on";
            "o" [key('o')] KeyAction::OnlyCall, "show only the call of this event, or all events again";
            "c" [key('c')] KeyAction::OpenCall, "open the call of this event; Esc returns to the event";
            "+" [key('+')] KeyAction::AddToFilter, "add the value of the selected field to the filter";
        }],
    ),
    (
        "View",
        &[bindings! {
            "Enter" [code(KeyCode::Enter)] KeyAction::Open, "open the detail, go into it, fold a value; open a call, then its parts; show the events that a row counts";
            "l →" [key('l'), code(KeyCode::Right)] KeyAction::Into, "go into the detail; unfold a value; go to the list at the right";
            "h ←" [key('h'), code(KeyCode::Left)] KeyAction::Out, "leave the detail; fold a value; go to the list at the left";
            ">" [key('>')] KeyAction::Grow, "sort a list by the next column (or click its heading); in the stream, enlarge the detail (or drag its edge)";
            "<" [key('<')] KeyAction::Shrink, "sort a list by the previous column; in the stream, shrink the detail";
            "r" [key('r')] KeyAction::Reverse, "reverse the order of a list";
            "Space" [key(' ')] KeyAction::Pause, "pause or resume the stream";
            "t" [key('t')] KeyAction::Time, "change the times: local, UTC, age, since the previous line, none";
            "x" [key('x')] KeyAction::Columns, "choose the fields to show as columns: Space toggles, Enter applies";
            "z" [key('z')] KeyAction::Fold, "show runs of transcript deltas as one row each, or each delta";
            "w" [key('w')] KeyAction::Wrap, "wrap or cut long lines";
        }],
    ),
    (
        "Replay",
        &[bindings! {
            "p" [key('p')] KeyAction::Hold, "hold or resume the replay";
            "." [key('.')] KeyAction::Step, "hold the replay and advance by one event";
            "]" [key(']')] KeyAction::Faster, "go faster: 1× is real time, the last step is full speed";
            "[" [key('[')] KeyAction::Slower, "go slower";
            "@" [key('@')] KeyAction::GoTo, "go to a time such as 09:30, +5m or -30s; the replay runs ahead if needed";
        }],
    ),
    (
        "Copy and save",
        &[bindings! {
            "y" [key('y')] KeyAction::Copy, "copy the event as shown; in the detail, the value; of a call, the SID";
            "s" [key('s')] KeyAction::Save, "save the listed events as NDJSON that only you can read (mode 0600)";
        }],
    ),
    (
        "Screens",
        &[
            &SCREEN_BINDINGS,
            bindings! {
                "Tab" [code(KeyCode::Tab)] KeyAction::NextScreen, "go to the next screen";
                "S-Tab" [code(KeyCode::BackTab)] KeyAction::PreviousScreen, "go to the previous screen";
                ":" [key(':')] KeyAction::Command, "enter a command: at TIME, call SID, filter EXPR, columns LIST, save FILE, quit";
                "?" [key('?')] KeyAction::Help, "show this help";
                "Esc" [code(KeyCode::Esc)] KeyAction::Back, "go back; close what is open";
                "q" [key('q'), ctrl('c')] KeyAction::Quit, "quit";
                "^Z" [ctrl('z')] KeyAction::Suspend, "suspend; `fg` resumes";
            },
        ],
    ),
];

/// Help for everything that is not a key binding: the mouse, the keys of the prompt, and symbols.
pub const OTHER_HELP: &[(&str, &[(&str, &str)])] = &[
    (
        "Mouse",
        &[
            (
                "click",
                "select an event, call, detail line, screen or replay position; close this help",
            ),
            ("again", "open the selection"),
            ("wheel", "scroll the part under the pointer"),
            ("drag", "move the edge of the detail, or the replay position"),
            ("S-click", "select text in the terminal"),
        ],
    ),
    (
        "Typing a line",
        &[
            ("Tab", "complete a field, an event type or a command"),
            ("Enter", "accept the line"),
            ("Esc ^C", "cancel"),
            ("^A ^E", "go to the start, to the end"),
            ("^U ^K ^W", "delete to the start, to the end, a word"),
        ],
    ),
    (
        "Symbols",
        &[
            ("!", "an error"),
            ("~", "drift: the event differs from the model"),
            ("◆", "a mark; on the bar of a replay, the selected event"),
            ("●  ○", "an active call, an ended call"),
            ("…", "text that was cut; a tool that has not answered yet"),
            (
                "[redacted]",
                "a hidden value; no key shows it, only --reveal on the command line does",
            ),
        ],
    ),
];

/// Returns the action of a key press. Does not apply to the prompt, which handles keys itself.
#[must_use]
pub fn action(event: &KeyEvent) -> Option<KeyAction> {
    let modifiers = event.modifiers - KeyModifiers::SHIFT;
    let pressed = (event.code, modifiers);
    bindings().find(|binding| binding.keys.contains(&pressed)).map(|binding| binding.action)
}

/// Returns all bindings.
pub fn bindings() -> impl Iterator<Item = &'static KeyBinding> {
    TABLE.iter().flat_map(|(_, parts)| parts.iter().copied().flatten())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_is_bound_twice() {
        let mut seen = HashSet::new();
        for binding in bindings() {
            for key in binding.keys {
                assert!(seen.insert(key), "{}", binding.name);
            }
        }
    }
}
