//! The topic about the live screen: the actions and roles that the configuration can name.

use std::fmt::Write;

use crate::tui::key_map::KeyMap;
use crate::tui::keys::bindings;
use crate::tui::style::{StyleRole, ThemeName};

/// Returns the text of the topic.
pub fn live_screen() -> String {
    let mut text = "The configuration gives actions other keys, and roles other colours:

  [tui.keys]
  filter = [\"F4\", \"f\"]
  mark = []

  [tui.theme]
  base = \"dark\"
  error = \"#ff5f5f\"
  warning = \"bright-yellow\"

Keys are characters, and names such as Enter, PgDn, F5, S-Tab, ^F or M-x. An action without a key \
has none; ^C always quits. A colour is a name, an index from 0 to 255, # with three or six \
hexadecimal digits, or `default`. `background` and `foreground` are those of the whole screen. A \
colour whose contrast with the background is below 2 is refused; below 4.5, the screen says so when \
it opens. The contrast is unknown if the terminal decides on a colour, as for names.

--theme, or :theme on the screen, chooses one of these:

"
    .to_owned();
    for theme in ThemeName::ALL {
        let _ = writeln!(text, "  {:14}  {}", theme.name(), theme.description());
    }
    text.push_str("\nThe roles and what they are for:\n\n");
    for role in StyleRole::ALL {
        let _ = writeln!(text, "  {:14}  {}", role.name(), role.description());
    }
    text.push_str("\nThe actions and their keys:\n\n");
    let keys = KeyMap::default();
    for binding in bindings() {
        let _ = writeln!(text, "  {:18}  {}", binding.name(), keys.labels(binding.action));
    }
    text
}
