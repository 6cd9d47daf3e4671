//! The actions of the live screen and their default keys as one table, from which the help and the
//! footer are generated.
//!
//! Every action has a stable name, by which the configuration gives it other keys. The keys in use
//! are those of a [`KeyMap`](super::key_map::KeyMap).

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyModifiers};

use super::screen::Screen;

/// A key, and the modifiers that are held.
pub type KeyPress = (KeyCode, KeyModifiers);

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
    Present,
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
    ZoomOut,
    Compare,
    NextError,
    PreviousError,
    Mark,
    NextMark,
    PreviousMark,
    Note,
    Marks,
    NextAttention,
    Acknowledge,
    Time,
    Wrap,
    Layout,
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

/// An action and the keys that trigger it by default.
#[derive(Debug, Clone, Copy)]
pub struct KeyBinding {
    /// The name of the action; for a screen, its title.
    name: &'static str,
    /// The default keys.
    pub keys: &'static [KeyPress],
    /// What the keys do.
    pub action: KeyAction,
    /// The description of the action in the help. `{name}` stands for the key of that action.
    pub help: &'static str,
}

impl KeyBinding {
    /// Returns the name of the action in the configuration. It never changes.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self.action {
            KeyAction::Screen(_) => format!("screen_{}", self.name.to_ascii_lowercase()).into(),
            _ => self.name.into(),
        }
    }
}

/// A heading of the help and the bindings below it, in one or more parts.
pub type KeyGroup = (&'static str, &'static [&'static [KeyBinding]]);

/// A footer hint: an action, and what it does on the current screen in a word or two.
pub type KeyHint = (KeyAction, &'static str);

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

const fn key(character: char) -> KeyPress {
    (KeyCode::Char(character), NONE)
}

const fn ctrl(character: char) -> KeyPress {
    (KeyCode::Char(character), CTRL)
}

const fn code(code: KeyCode) -> KeyPress {
    (code, NONE)
}

/// Declares bindings: the name of the action, its default keys, the action and its description.
macro_rules! bindings {
    ($($name:literal [$($key:expr),+] $action:expr, $help:literal;)+) => {
        &[$(KeyBinding { name: $name, keys: &[$($key),+], action: $action, help: $help }),+]
    };
}

/// The number keys, one per screen.
const DIGITS: &[[KeyPress; 1]] = &[
    [key('0')],
    [key('1')],
    [key('2')],
    [key('3')],
    [key('4')],
    [key('5')],
    [key('6')],
    [key('7')],
    [key('8')],
    [key('9')],
];

const fn screen_binding(at: usize) -> KeyBinding {
    let screen = Screen::ALL[at];
    let (name, action) = (screen.title(), KeyAction::Screen(screen));
    KeyBinding { name, keys: &DIGITS[at], action, help: screen.description() }
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
            "down" [key('j'), code(KeyCode::Down)] KeyAction::Down, "move down";
            "up" [key('k'), code(KeyCode::Up)] KeyAction::Up, "move up; stop following";
            "top" [key('g'), code(KeyCode::Home)] KeyAction::Top, "go to the oldest";
            "bottom" [key('G')] KeyAction::Bottom, "go to the newest, and follow";
            "present" [code(KeyCode::End)] KeyAction::Present, "return to the present; there, go to the newest";
            "page_down" [code(KeyCode::PageDown), ctrl('f')] KeyAction::PageDown, "move a page down";
            "page_up" [code(KeyCode::PageUp), ctrl('b')] KeyAction::PageUp, "move a page up";
            "half_down" [ctrl('d')] KeyAction::HalfDown, "move half a page down";
            "half_up" [ctrl('u')] KeyAction::HalfUp, "move half a page up";
            "next_error" [key('e')] KeyAction::NextError, "go to the next error; in a call, to the next failed tool";
            "previous_error" [key('E')] KeyAction::PreviousError, "go to the previous error";
            "mark" [key('m')] KeyAction::Mark, "set or remove a mark";
            "next_mark" [key('u')] KeyAction::NextMark, "go to the next mark";
            "previous_mark" [key('U')] KeyAction::PreviousMark, "go to the previous mark";
            "note" [key('M')] KeyAction::Note, "set a mark with a note";
            "marks" [key('\'')] KeyAction::Marks, "list the marks: {open} goes to one, {mark} removes it";
            "next_attention" [key('!')] KeyAction::NextAttention, "go to the next item that needs attention; {open} opens what it is about";
            "acknowledge" [key('a')] KeyAction::Acknowledge, "acknowledge the item, or all items of the call, or take that back";
        }],
    ),
    (
        "Search and filter",
        &[bindings! {
            "search" [key('/')] KeyAction::Search, "search the stream or a conversation for a regular expression, or filter the rows of another list by a text; case-sensitive only with an upper-case letter";
            "next_match" [key('n')] KeyAction::Next, "go to the next match";
            "previous_match" [key('N')] KeyAction::Previous, "go to the previous match";
            "filter" [key('f')] KeyAction::Filter, "edit the filter: words, types such as call.*, a jq expression or @name; ↑ ↓ recall earlier filters";
            "toggle_filter" [key('F')] KeyAction::ToggleFilter, "turn the filter off or on";
            "only_call" [key('o')] KeyAction::OnlyCall, "show only the call of this event, or all events again";
            "open_call" [key('c')] KeyAction::OpenCall, "open the call of this event; {back} returns to the event";
            "add_to_filter" [key('+')] KeyAction::AddToFilter, "add the value of the selected field to the filter; in a call, enlarge the time at the cursor";
            "zoom_out" [key('-')] KeyAction::ZoomOut, "in a call, show more of the time";
        }],
    ),
    (
        "View",
        &[bindings! {
            "open" [code(KeyCode::Enter)] KeyAction::Open, "open the detail, go into it, fold a value; open a call, then the event under the cursor; show the events that a row counts";
            "go_in" [key('l'), code(KeyCode::Right)] KeyAction::Into, "go into the detail; unfold a value; go to the list at the right; in a call, to the next turn";
            "go_out" [key('h'), code(KeyCode::Left)] KeyAction::Out, "leave the detail; fold a value; go to the list at the left; in a call, to the previous turn";
            "grow" [key('>')] KeyAction::Grow, "sort a list by the next column (or click its heading); in the stream, enlarge the detail (or drag its edge)";
            "shrink" [key('<')] KeyAction::Shrink, "sort a list by the previous column; in the stream, shrink the detail";
            "reverse" [key('r')] KeyAction::Reverse, "reverse the order of a list";
            "compare" [key('v')] KeyAction::Compare, "compare two calls: this one and the one that was shown before";
            "pause" [key(' ')] KeyAction::Pause, "pause or resume the stream";
            "times" [key('t')] KeyAction::Time, "change the times: local, UTC, age, since the previous line, none";
            "columns" [key('x')] KeyAction::Columns, "choose the fields to show as columns: {pause} toggles, {open} applies";
            "fold" [key('z')] KeyAction::Fold, "show runs of transcript deltas as one row each, or each delta";
            "layout" [key('L')] KeyAction::Layout, "change the layout: the list, the list and the detail, mostly the detail";
            "wrap" [key('w')] KeyAction::Wrap, "wrap or cut long lines";
        }],
    ),
    (
        "Replay",
        &[bindings! {
            "hold" [key('p')] KeyAction::Hold, "hold or resume the replay";
            "step" [key('.')] KeyAction::Step, "hold the replay and advance by one event";
            "faster" [key(']')] KeyAction::Faster, "go faster: 1× is real time, the last step is full speed; in a call, go to the next failed tool";
            "slower" [key('[')] KeyAction::Slower, "go slower; in a call, go to the previous failed tool";
            "go_to_time" [key('@')] KeyAction::GoTo, "go to a time such as 09:30, +5m or -30s, which every screen shows; a replay runs ahead if needed";
        }],
    ),
    (
        "Copy and save",
        &[bindings! {
            "copy" [key('y')] KeyAction::Copy, "copy the event as shown; in the detail, the value; of a call, the SID";
            "save" [key('s')] KeyAction::Save, "save the listed events as NDJSON that only you can read (mode 0600)";
        }],
    ),
    (
        "Screens",
        &[
            &SCREEN_BINDINGS,
            bindings! {
                "next_screen" [code(KeyCode::Tab)] KeyAction::NextScreen, "go to the next screen";
                "previous_screen" [code(KeyCode::BackTab)] KeyAction::PreviousScreen, "go to the previous screen";
                "command" [key(':')] KeyAction::Command, "enter a command: at TIME, call SID, filter EXPR, columns LIST, save FILE, save marks FILE, mark NOTE, marks, theme NAME, notify on|off, quit";
                "help" [key('?')] KeyAction::Help, "show this help";
                "back" [code(KeyCode::Esc)] KeyAction::Back, "go back; close what is open";
                "quit" [key('q'), ctrl('c')] KeyAction::Quit, "quit";
                "suspend" [ctrl('z')] KeyAction::Suspend, "suspend; `fg` resumes";
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
            ("▲", "needs attention: somebody waits"),
            (
                "●  ?",
                "needs attention: something is wrong, or cannot be known because events are missing",
            ),
            (
                "◀",
                "an earlier moment is shown: that of the selected event, of the cursor of a call, or of the time that was gone to",
            ),
            ("~", "drift: the event differs from the model"),
            ("◆", "a mark; on the bar of a replay, the selected event"),
            ("●  ○", "of calls: active, ended"),
            ("…", "text that was cut; a tool that has not answered yet"),
            (
                "[redacted]",
                "a hidden value; no key shows it, only --reveal on the command line does",
            ),
        ],
    ),
];

/// Returns all bindings.
pub fn bindings() -> impl Iterator<Item = &'static KeyBinding> {
    TABLE.iter().flat_map(|(_, parts)| parts.iter().copied().flatten())
}
