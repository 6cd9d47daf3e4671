//! The keys and the colours of the live screen in the configuration file.

use serde_json::json;

use super::settings;
use crate::support::evtap;

#[tokio::test]
async fn mistakes_name_their_line_and_what_was_probably_meant() {
    for (file, line, why) in [
        (
            "[tui.keys]\nfliter = \"x\"",
            "line 2 (tui.keys.fliter)",
            "no such action; did you mean filter?",
        ),
        (
            "[tui.keys]\nfilter = \"Entr\"",
            "line 2 (tui.keys.filter)",
            "no such key; did you mean Enter?",
        ),
        (
            "[tui.keys]\nfilter = [\"F4\", 4]",
            "line 2 (tui.keys.filter)",
            "not a key; give a key as",
        ),
        (
            "[tui.keys]\nmark = \"m\"\nfilter = \"x\"",
            "line 3 (tui.keys.filter)",
            "x is the key of filter and of columns; choose another key, or give columns another one",
        ),
        (
            "[tui.keys]\nfilter = \"F4\"\n[profiles.a.tui.keys]\nmark = \"F4\"",
            "line 4 (tui.keys.mark)",
            "F4 is the key of mark and of filter",
        ),
        (
            "[tui.theme]\neror = \"red\"",
            "line 2 (tui.theme.eror)",
            "no such role; did you mean error?",
        ),
        (
            "[tui.theme]\nerror = \"yelow\"",
            "line 2 (tui.theme.error)",
            "no such colour; did you mean yellow?",
        ),
        (
            "[tui.theme]\nbase = \"drak\"",
            "line 2 (tui.theme.base)",
            "no such theme; did you mean dark?",
        ),
        ("[tui.theme]\nerror = true", "line 2 (tui.theme.error)", "not a colour; write it as"),
        (
            "[tui.theme]\nbase = \"soft\"\nerror = \"#402020\"\nbackground = \"#302020\"",
            "line 3 (tui.theme.error)",
            "its contrast with the background is 1.1; use a colour with at least 4.5, such as #",
        ),
        (
            "[tui.theme]\nbackground = \"#808080\"\nbase = \"light\"",
            "line 2 (tui.theme.",
            "its contrast with the background is 1.",
        ),
        ("[tui]\ntheme = \"drak\"", "line 2 (theme)", "did you mean dark?"),
        ("[tui]\nremeber = false", "line 2 (tui.remeber)", "did you mean remember?"),
        ("[tui]\noutput = \"json\"", "line 2 (tui.output)", "no such setting of the live screen"),
        ("theme = \"dark\"\n[tui.theme]\nbase = \"soft\"", "line 2 (theme)", "it is set twice"),
        ("tui = 1", "line 1 (tui)", "not a table"),
    ] {
        let ran = evtap("config").config(file).run().await;
        assert_eq!(ran.ended(2), "", "{file}");
        let errors = ran.stderr().clone();
        assert!(errors.contains(line) && errors.contains(why), "{file}\n{errors}");
    }
}

#[tokio::test]
async fn keys_and_colours_are_listed_with_those_of_the_profile() {
    let file = "[tui]\ntheme = \"soft\"\nremember = false\n[tui.keys]\nfilter = \"F4\"\nmark = []\n\
        [profiles.a.tui.keys]\nfilter = [\"F5\", \"M-f\"]\n[profiles.a.tui.theme]\nerror = 196\n";
    let top = settings(evtap("config -o json").config(file)).await;
    assert_eq!(top["keys"], json!({"filter": ["F4"], "mark": []}));
    assert_eq!((&top["theme"], &top["settings"]["theme"]["value"]), (&json!({}), &json!("soft")));
    assert_eq!(top["settings"]["remember"]["value"], json!("false"));
    let profile = settings(evtap("config -o json --profile a").config(file)).await;
    assert_eq!(profile["keys"], json!({"filter": ["F5", "M-f"], "mark": []}));
    assert_eq!(profile["theme"], json!({"error": "196"}));
    assert_eq!(profile["settings"]["theme"]["value"], json!("custom"));
    let text = evtap("config --profile a").config(file).run().await;
    let text = text.ended(0).clone();
    assert!(text.contains("\nkeys\n") && text.contains("F5 M-f"), "{text}");
    assert!(text.contains("\ntheme\nerror"), "{text}");
}

#[tokio::test]
async fn a_theme_that_is_not_there_cannot_be_chosen() {
    let ran = evtap("watch --workspace demo --tui --theme drak").run().await;
    assert_eq!(ran.ended(2), "");
    assert!(ran.stderr().contains("did you mean dark?"), "{}", ran.stderr());
    let listed = evtap("help tui").run().await;
    let text = listed.ended(0).clone();
    for name in ["high-contrast", "next_error", "screen_stream", "masked"] {
        assert!(text.contains(name), "{name}");
    }
}
