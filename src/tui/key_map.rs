//! The keys in use: those of the table, or those that the configuration gives to an action instead.
//!
//! Keys have the names that the help shows, such as `j`, `^F`, `PgDn`, `S-Tab`, `F5` or `M-x`; other
//! usual names, such as `Ctrl-F`, are accepted as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{KeyAction, KeyBinding, KeyPress, bindings};
use crate::query::suggest;

/// The key that always quits, since it does so in every other program.
const INTERRUPT: KeyPress = (KeyCode::Char('c'), KeyModifiers::CONTROL);

/// The names of the keys that are no characters. The first name of a key is shown.
const NAMED: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Return", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Escape", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Del", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Ins", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PageUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("PageDown", KeyCode::PageDown),
    ("↑", KeyCode::Up),
    ("Up", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("Down", KeyCode::Down),
    ("←", KeyCode::Left),
    ("Left", KeyCode::Left),
    ("→", KeyCode::Right),
    ("Right", KeyCode::Right),
];

/// The prefixes of a key that is pressed together with another. The first one of a modifier is
/// shown.
const MODIFIERS: &[(&str, KeyModifiers)] = &[
    ("^", KeyModifiers::CONTROL),
    ("C-", KeyModifiers::CONTROL),
    ("Ctrl-", KeyModifiers::CONTROL),
    ("Ctrl+", KeyModifiers::CONTROL),
    ("M-", KeyModifiers::ALT),
    ("A-", KeyModifiers::ALT),
    ("Alt-", KeyModifiers::ALT),
    ("Alt+", KeyModifiers::ALT),
    ("S-", KeyModifiers::SHIFT),
    ("Shift-", KeyModifiers::SHIFT),
    ("Shift+", KeyModifiers::SHIFT),
];

/// Keys that a terminal sends for another one, and that one.
const SAME: &[(char, &str)] = &[('i', "Tab"), ('m', "Enter"), ('[', "Esc")];

/// The number of the last function key.
const LAST_FUNCTION_KEY: u8 = 24;

/// The reason why keys cannot be used, and what to do instead.
pub type KeyError = (String, String);

/// The keys of each action, by its name in the configuration.
pub type KeyChoices = BTreeMap<String, Vec<String>>;

/// The keys of all actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMap(Vec<(KeyPress, KeyAction)>);

impl Default for KeyMap {
    /// Creates the map of the default keys.
    fn default() -> Self {
        let keys = |binding: &'static KeyBinding| {
            binding.keys.iter().map(move |key| (*key, binding.action))
        };
        Self(bindings().flat_map(keys).collect())
    }
}

impl KeyMap {
    /// Creates a map in which some actions have other keys. An action without keys has none.
    ///
    /// # Errors
    /// Fails if an action or a key does not exist, or if two actions have the same key. Returns the
    /// name of the action, too.
    pub fn new(choices: &KeyChoices) -> Result<Self, (String, KeyError)> {
        let mut map = Self::default();
        for (name, keys) in choices {
            let (action, keys) = choice(name, keys).map_err(|error| (name.clone(), error))?;
            map.0.retain(|(_, known)| *known != action);
            let always = (action == KeyAction::Quit).then_some(INTERRUPT);
            for key in keys.into_iter().chain(always) {
                if !map.0.contains(&(key, action)) {
                    map.0.push((key, action));
                }
            }
        }
        // Only now, because an action may have given up its key.
        for (place, (key, action)) in map.0.iter().enumerate() {
            let other = map.0[..place].iter().find(|(known, _)| known == key);
            let Some((_, other)) = other else { continue };
            let (one, other) = (name_of(*action), name_of(*other));
            let why = format!("{} is the key of {one} and of {other}", label(*key));
            let (name, other) =
                if choices.contains_key(&one) { (one, other) } else { (other, one) };
            return Err((name, (why, format!("choose another key, or give {other} another one"))));
        }
        Ok(map)
    }

    /// Returns the action of a key press. Does not apply to the prompt, which handles keys itself.
    #[must_use]
    pub fn action(&self, event: &KeyEvent) -> Option<KeyAction> {
        let pressed = normal((event.code, event.modifiers));
        self.0.iter().find(|(key, _)| *key == pressed).map(|(_, action)| *action)
    }

    /// Returns the keys of an action, in the order of the configuration or of the table.
    pub fn keys(&self, action: KeyAction) -> impl Iterator<Item = KeyPress> {
        self.0.iter().filter(move |(_, known)| *known == action).map(|(key, _)| *key)
    }

    /// Returns the name of the first key of an action, if it has one.
    #[must_use]
    pub fn first(&self, action: KeyAction) -> Option<String> {
        self.keys(action).next().map(label)
    }

    /// Returns the names of all keys of an action, separated by a space.
    #[must_use]
    pub fn labels(&self, action: KeyAction) -> String {
        self.keys(action).map(label).collect::<Vec<_>>().join(" ")
    }

    /// Replaces `{name}` in a text by the key of that action.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            expanded.push_str(before);
            let named = after.split_once('}');
            let named = named.and_then(|(name, after)| Some((action_of(name).ok()?, after)));
            if let Some((action, after)) = named {
                let key = self.first(action);
                expanded.push_str(key.as_deref().unwrap_or("(no key)"));
                rest = after;
            } else {
                expanded.push('{');
                rest = after;
            }
        }
        expanded + rest
    }
}

/// Parses the name of an action and its keys.
///
/// # Errors
/// Fails if the action or a key does not exist.
pub fn choice(name: &str, keys: &[String]) -> Result<(KeyAction, Vec<KeyPress>), KeyError> {
    let action = action_of(name)?;
    Ok((action, keys.iter().map(|key| parse(key)).collect::<Result<_, _>>()?))
}

/// Returns the action of that name.
fn action_of(name: &str) -> Result<KeyAction, KeyError> {
    let found = bindings().find(|binding| binding.name() == name);
    found.map(|binding| binding.action).ok_or_else(|| {
        let names: Vec<_> = bindings().map(KeyBinding::name).collect();
        let advice = match suggest::nearest(name, names.iter().map(AsRef::as_ref)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "docs/tui.md lists the actions, such as filter".to_owned(),
        };
        ("no such action".to_owned(), advice)
    })
}

fn name_of(action: KeyAction) -> String {
    let binding = bindings().find(|binding| binding.action == action);
    binding.map_or_else(String::new, |binding| binding.name().into_owned())
}

/// Returns the name of a key.
#[must_use]
pub fn label((code, modifiers): KeyPress) -> String {
    let mut text = String::new();
    for shown in [KeyModifiers::CONTROL, KeyModifiers::ALT] {
        if modifiers.contains(shown) {
            text +=
                MODIFIERS.iter().find(|(_, known)| *known == shown).map_or("", |(name, _)| name);
        }
    }
    let _ = match (code, NAMED.iter().find(|(_, known)| *known == code)) {
        (_, Some((name, _))) => write!(text, "{name}"),
        (KeyCode::BackTab, _) => write!(text, "S-Tab"),
        (KeyCode::F(number), _) => write!(text, "F{number}"),
        (KeyCode::Char(character), _) if modifiers.contains(KeyModifiers::CONTROL) => {
            write!(text, "{}", character.to_uppercase())
        }
        (KeyCode::Char(character), _) => write!(text, "{character}"),
        _ => Ok(()),
    };
    text
}

/// Parses the name of a key.
///
/// # Errors
/// Fails if there is no such key, or if a terminal cannot tell it from another one.
pub fn parse(text: &str) -> Result<KeyPress, KeyError> {
    let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
    // A single character is a key, even if a modifier begins with it.
    while rest.chars().count() > 1 {
        let starts = |prefix: &str| {
            rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let Some((prefix, modifier)) =
            MODIFIERS.iter().find(|(prefix, _)| rest.len() > prefix.len() && starts(prefix))
        else {
            break;
        };
        modifiers |= *modifier;
        rest = &rest[prefix.len()..];
    }
    let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest));
    let mut characters = rest.chars();
    let code = match (named, characters.next(), characters.next()) {
        (Some((_, code)), ..) => *code,
        (None, Some(character), None) if !character.is_control() => KeyCode::Char(character),
        (None, Some('f' | 'F'), _) if function_key(rest).is_some() => {
            KeyCode::F(function_key(rest).unwrap_or(1))
        }
        _ => return Err(unknown(rest)),
    };
    let is_control = modifiers.contains(KeyModifiers::CONTROL);
    let code = match code {
        KeyCode::Char(character) if is_control => KeyCode::Char(character.to_ascii_lowercase()),
        code => code,
    };
    if let (true, KeyCode::Char(character)) = (is_control, code)
        && let Some((_, same)) = SAME.iter().find(|(known, _)| *known == character)
    {
        let why = format!("terminals send the same for {text} as for {same}");
        return Err((why, "choose another key".to_owned()));
    }
    Ok(normal((code, modifiers)))
}

fn function_key(text: &str) -> Option<u8> {
    text[1..].parse().ok().filter(|number| (1..=LAST_FUNCTION_KEY).contains(number))
}

/// Returns the form in which a key is compared: a terminal reports Shift with a letter or not.
fn normal((code, modifiers): KeyPress) -> KeyPress {
    let is_shifted = modifiers.contains(KeyModifiers::SHIFT);
    let code = match code {
        KeyCode::Tab if is_shifted => KeyCode::BackTab,
        KeyCode::Char(character) if is_shifted && character.is_ascii_lowercase() => {
            KeyCode::Char(character.to_ascii_uppercase())
        }
        code => code,
    };
    (code, modifiers - KeyModifiers::SHIFT)
}

fn unknown(text: &str) -> KeyError {
    let functions: Vec<_> = (1..=LAST_FUNCTION_KEY).map(|number| format!("F{number}")).collect();
    let names = NAMED.iter().map(|(name, _)| *name).chain(functions.iter().map(String::as_str));
    let advice = match suggest::nearest(text, names) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "give a character, or a name such as Enter, PgDn, F5, ^F or M-x".to_owned(),
    };
    ("no such key".to_owned(), advice)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tui::keys::{OTHER_HELP, TABLE};

    fn choices(chosen: &[(&str, &[&str])]) -> KeyChoices {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        chosen.iter().map(|(name, keys)| ((*name).to_owned(), owned(keys))).collect()
    }

    #[test]
    fn no_key_is_bound_twice_and_no_name_is_used_twice() {
        let (mut keys, mut names) = (HashSet::new(), HashSet::new());
        for binding in bindings() {
            assert!(binding.keys.iter().all(|key| keys.insert(*key)), "{}", binding.name());
            assert!(names.insert(binding.name()), "{}", binding.name());
        }
        assert_eq!(KeyMap::new(&KeyChoices::new()), Ok(KeyMap::default()));
    }

    /// A name is part of the configuration, so it is a word and not, by mistake, a key.
    #[test]
    fn the_name_of_an_action_is_a_word() {
        for binding in bindings() {
            let name = binding.name();
            let is_word = name.len() > 1
                && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            assert!(is_word, "{name}");
        }
    }

    #[test]
    fn the_name_of_every_key_is_read_back() {
        for (key, action) in &KeyMap::default().0 {
            assert_eq!(parse(&label(*key)), Ok(*key), "{action:?}");
        }
        for (text, shown) in [
            ("ctrl-f", "^F"),
            ("C-f", "^F"),
            ("^f", "^F"),
            ("^", "^"),
            ("pagedown", "PgDn"),
            ("Shift-Tab", "S-Tab"),
            ("shift-a", "A"),
            ("alt-X", "M-X"),
            ("M-^x", "^M-X"),
            ("f5", "F5"),
            ("é", "é"),
            ("space", "Space"),
            ("-", "-"),
            ("C--", "^-"),
        ] {
            assert_eq!(parse(text).map(label).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn misspelt_keys_are_refused_with_a_suggestion() {
        for (text, advice) in [
            ("Entr", "did you mean Enter?"),
            ("PgDown", "did you mean PageDown?"),
            ("F99", "did you mean F"),
            ("", "give a character"),
            ("\u{1b}", "give a character"),
            ("Ctrl-", "give a character"),
        ] {
            let (why, given) = parse(text).expect_err(text);
            assert!(why == "no such key" && given.starts_with(advice), "{text}: {given}");
        }
        for (text, same) in [("^I", "Tab"), ("ctrl-m", "Enter"), ("^[", "Esc")] {
            let (why, _) = parse(text).expect_err(text);
            assert!(why.ends_with(&format!("as for {same}")), "{why}");
        }
    }

    #[test]
    fn an_action_has_the_chosen_keys_instead_of_its_own() {
        let map = KeyMap::new(&choices(&[("filter", &["F4", "M-f"]), ("mark", &[])]))
            .expect("the keys can be used");
        let press = |code, modifiers| map.action(&KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::F(4), KeyModifiers::NONE), Some(KeyAction::Filter));
        assert_eq!(press(KeyCode::Char('f'), KeyModifiers::ALT), Some(KeyAction::Filter));
        assert_eq!(press(KeyCode::Char('f'), KeyModifiers::NONE), None);
        assert_eq!(press(KeyCode::Char('m'), KeyModifiers::NONE), None);
        assert_eq!(map.labels(KeyAction::Filter), "F4 M-f");
        assert_eq!(map.expand("press {filter} or {mark}; {x} {"), "press F4 or (no key); {x} {");
    }

    #[test]
    fn an_action_may_take_a_key_that_another_one_gave_up() {
        let swapped = choices(&[("filter", &["x"]), ("columns", &["f"])]);
        let map = KeyMap::new(&swapped).expect("no key is used twice");
        assert_eq!(map.labels(KeyAction::Columns), "f");
        assert_eq!(map.labels(KeyAction::Filter), "x");
    }

    #[test]
    fn a_key_of_two_actions_is_an_error_that_names_both() {
        let (name, (why, advice)) =
            KeyMap::new(&choices(&[("filter", &["x"])])).expect_err("columns has x");
        assert_eq!(name, "filter");
        assert_eq!(why, "x is the key of filter and of columns");
        assert_eq!(advice, "choose another key, or give columns another one");
        let (name, (why, _)) =
            KeyMap::new(&choices(&[("back", &["^C"])])).expect_err("^C always quits");
        assert_eq!((name.as_str(), why.as_str()), ("back", "^C is the key of back and of quit"));
        let map = KeyMap::new(&choices(&[("quit", &["Q"])])).expect("the keys can be used");
        assert_eq!(map.labels(KeyAction::Quit), "Q ^C");
    }

    #[test]
    fn misspelt_actions_are_refused_with_a_suggestion() {
        let (name, (why, advice)) =
            KeyMap::new(&choices(&[("fliter", &["x"])])).expect_err("no action");
        assert_eq!(name, "fliter");
        assert_eq!((why.as_str(), advice.as_str()), ("no such action", "did you mean filter?"));
    }

    #[test]
    fn the_help_refers_only_to_actions_that_exist() {
        let own = TABLE.iter().flat_map(|(_, parts)| parts.iter().copied().flatten());
        let texts = own.map(|binding| binding.help).chain(
            OTHER_HELP.iter().flat_map(|(_, entries)| entries.iter().map(|(_, help)| *help)),
        );
        for text in texts {
            let expanded = KeyMap::default().expand(text);
            assert!(!expanded.contains(['{', '}']) && !expanded.contains("(no key)"), "{text}");
        }
    }
}
