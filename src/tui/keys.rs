//! The keys, as a table: what is pressed is looked up in it, and the help and the footer are made from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::screen::Screen;

/// What a key is for.
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

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct KeyBinding {
    /// The keys.
    pub keys: &'static [(KeyCode, KeyModifiers)],
    /// What people call them.
    pub name: &'static str,
    /// What they are for.
    pub action: KeyAction,
    /// The same in words.
    pub help: &'static str,
}

/// A heading of the help, and the bindings below it.
pub type KeyGroup = (&'static str, &'static [&'static [KeyBinding]]);

/// A footer hint: an action, and what it does here in a word or two.
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

/// The keys of the screens, in order.
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

/// One binding for each screen, from the table of screens.
const SCREENS: [KeyBinding; Screen::COUNT] = {
    let mut bindings = [screen_binding(0); Screen::COUNT];
    let mut at = 1;
    while at < Screen::COUNT {
        bindings[at] = screen_binding(at);
        at += 1;
    }
    bindings
};

/// All keys.
pub const TABLE: &[KeyGroup] = &[
    (
        "Moving",
        &[bindings! {
            "j ↓" [key('j'), code(KeyCode::Down)] KeyAction::Down, "down";
            "k ↑" [key('k'), code(KeyCode::Up)] KeyAction::Up, "up; leaves following";
            "g Home" [key('g'), code(KeyCode::Home)] KeyAction::Top, "to the oldest";
            "G End" [key('G'), code(KeyCode::End)] KeyAction::Bottom, "to the newest, and follow";
            "PgDn ^F" [code(KeyCode::PageDown), ctrl('f')] KeyAction::PageDown, "a page down";
            "PgUp ^B" [code(KeyCode::PageUp), ctrl('b')] KeyAction::PageUp, "a page up";
            "^D" [ctrl('d')] KeyAction::HalfDown, "half a page down";
            "^U" [ctrl('u')] KeyAction::HalfUp, "half a page up";
            "e" [key('e')] KeyAction::NextError, "to the next error";
            "E" [key('E')] KeyAction::PreviousError, "to the error before";
            "m" [key('m')] KeyAction::Mark, "mark, or take the mark away";
            "u" [key('u')] KeyAction::NextMark, "to the next mark";
            "U" [key('U')] KeyAction::PreviousMark, "to the mark before";
        }],
    ),
    (
        "Finding",
        &[bindings! {
            "/" [key('/')] KeyAction::Search, "search for a regular expression in what is seen";
            "n" [key('n')] KeyAction::Next, "to the next match";
            "N" [key('N')] KeyAction::Previous, "to the match before";
            "f" [key('f')] KeyAction::Filter, "edit the filter: jq, or the @name of one; ↑ ↓ go through the last ones";
            "F" [key('F')] KeyAction::ToggleFilter, "filter off, and on again";
            "o" [key('o')] KeyAction::OnlyCall, "only the call of this event, and all again";
            "+" [key('+')] KeyAction::AddToFilter, "add the value of this field to the filter";
        }],
    ),
    (
        "Looking",
        &[bindings! {
            "Enter" [code(KeyCode::Enter)] KeyAction::Open, "open the detail, step into it, fold; open a call, then its parts";
            "l →" [key('l'), code(KeyCode::Right)] KeyAction::Into, "into the detail; unfold";
            "h ←" [key('h'), code(KeyCode::Left)] KeyAction::Out, "out of the detail; fold";
            ">" [key('>')] KeyAction::Grow, "a larger detail (or drag its edge)";
            "<" [key('<')] KeyAction::Shrink, "a smaller detail";
            "Space" [key(' ')] KeyAction::Pause, "pause, and go on";
            "t" [key('t')] KeyAction::Time, "time: local, UTC, age, since the line before, none";
            "x" [key('x')] KeyAction::Columns, "choose the fields that are listed, as a table: Space ticks, Enter takes them";
            "w" [key('w')] KeyAction::Wrap, "wrap long lines, and cut them again";
        }],
    ),
    (
        "Replaying a recording",
        &[bindings! {
            "p" [key('p')] KeyAction::Hold, "hold the replay, and go on";
            "." [key('.')] KeyAction::Step, "hold it, and let one event through";
            "]" [key(']')] KeyAction::Faster, "faster: 1× is real time, the last is full speed";
            "[" [key('[')] KeyAction::Slower, "slower";
            "@" [key('@')] KeyAction::GoTo, "go to a time: 09:30, +5m, -30s; what is not replayed yet is run through";
        }],
    ),
    (
        "Taking along",
        &[bindings! {
            "y" [key('y')] KeyAction::Copy, "copy the event as it is shown; in the detail the value, of a call the SID";
            "s" [key('s')] KeyAction::Save, "save what is listed as NDJSON, for you alone (mode 0600)";
        }],
    ),
    (
        "Screens",
        &[
            &SCREENS,
            bindings! {
                "Tab" [code(KeyCode::Tab)] KeyAction::NextScreen, "the next screen";
                "S-Tab" [code(KeyCode::BackTab)] KeyAction::PreviousScreen, "the screen before";
                ":" [key(':')] KeyAction::Command, "a command: at TIME, call SID, filter EXPR, columns LIST, save FILE, quit";
                "?" [key('?')] KeyAction::Help, "this help";
                "Esc" [code(KeyCode::Esc)] KeyAction::Back, "back: close what is open";
                "q" [key('q'), ctrl('c')] KeyAction::Quit, "quit";
                "^Z" [ctrl('z')] KeyAction::Suspend, "suspend; `fg` comes back";
            },
        ],
    ),
];

/// What is not in the table, since it is no key or no key of the screen.
pub const OTHER_HELP: &[(&str, &[(&str, &str)])] = &[
    (
        "With the mouse",
        &[
            (
                "click",
                "choose an event, a call, a line of the detail, a screen, a position; closes this help",
            ),
            ("again", "open what is chosen"),
            ("wheel", "scroll what is below it"),
            ("drag", "the edge of the detail, the position in a recording"),
            ("S-click", "select text as the terminal does"),
        ],
    ),
    (
        "While a line is typed",
        &[
            ("Tab", "complete the name of a field, a type or a command"),
            ("Enter", "take it"),
            ("Esc ^C", "leave it as it was"),
            ("^A ^E", "to its beginning, to its end"),
            ("^U ^K ^W", "delete to its beginning, to its end, a word"),
        ],
    ),
    (
        "What the signs mean",
        &[
            ("!", "something went wrong"),
            ("~", "the model did not expect something about this event"),
            ("◆", "marked; on the bar of a replay, where the selected event is"),
            ("●  ○", "a call that is on, one that has ended"),
            ("…", "more than fits; a tool that has not answered yet"),
            ("[redacted]", "hidden; only --reveal on the command line lifts it, no key does"),
        ],
    ),
];

/// What a key is for, outside a line that is edited.
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
    fn no_key_has_two_meanings() {
        let mut seen = HashSet::new();
        for binding in bindings() {
            for key in binding.keys {
                assert!(seen.insert(key), "{}", binding.name);
            }
        }
    }
}
