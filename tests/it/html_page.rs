//! HTML pages as browsers read them: whatever arrived stays text, and nothing is loaded or run.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use html5gum::{Token, Tokenizer};
use sha2::{Digest, Sha256};

/// A tag's name, and the names and values of its attributes.
type Tag = (String, Vec<(String, String)>);

/// A page that was parsed.
pub struct ParsedPage {
    /// The text outside of tags and of the style sheet.
    pub text: String,
    /// The start tags.
    pub tags: Vec<Tag>,
}

/// Text that could make a browser act if it were not escaped.
pub const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</td></table><script src=//evil.example/x.js></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><style>@import url(//evil.example)</style>",
    "</title></svg><script>alert(1)</script>",
    "<!-- -->",
    "<![CDATA[x]]>",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
];

/// The elements of pages.
const ELEMENTS: &[&str] = &[
    "a", "b", "body", "circle", "code", "dd", "details", "div", "dl", "dt", "footer", "h1", "h2",
    "head", "header", "html", "li", "line", "main", "meta", "ol", "p", "pattern", "polyline",
    "rect", "section", "span", "style", "summary", "svg", "table", "tbody", "td", "text", "th",
    "thead", "time", "title", "tr", "ul",
];

/// The attributes that contain text from the wire.
const TEXTS: &[&str] = &["aria-label"];

impl ParsedPage {
    /// Parses a page. Panics if browsers would have to guess.
    pub fn new(page: &str) -> Self {
        let (mut text, mut tags) = (String::new(), Vec::new());
        let mut is_style = false;
        for token in Tokenizer::new(page) {
            let token = token.unwrap_or_else(|error| match error {});
            let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
            match token {
                Token::StartTag(tag) => {
                    let attributes = tag
                        .attributes
                        .iter()
                        .map(|(name, value)| (string(name), string(value)))
                        .collect();
                    is_style = *tag.name == *b"style";
                    tags.push((string(&tag.name), attributes));
                }
                Token::String(words) if is_style => drop(words),
                Token::String(words) => text += &string(&words),
                Token::Error(error) => panic!("browsers have to guess: {:?}", error.value),
                Token::Comment(_) => panic!("a comment"),
                Token::EndTag(_) => is_style = false,
                Token::Doctype(_) => {}
            }
        }
        Self { text, tags }
    }

    /// Returns the number of elements with a name.
    pub fn count(&self, element: &str) -> usize {
        self.tags.iter().filter(|(name, _)| name == element).count()
    }

    /// Returns the values of an attribute.
    pub fn values<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.tags.iter().flat_map(|(_, attributes)| attributes);
        all.filter(move |(name, _)| name == attribute).map(|(_, value)| value.as_str())
    }
}

/// Panics if a page could load or run anything, or contains hostile characters.
pub fn assert_inert(page: &str) -> ParsedPage {
    let parsed = ParsedPage::new(page);
    for (tag, attributes) in &parsed.tags {
        assert!(ELEMENTS.contains(&tag.as_str()), "<{tag}>");
        for (name, value) in attributes {
            assert!(fits(tag, name, value), "<{tag} {name}={value}>");
        }
    }
    assert_eq!(parsed.count("style"), 1);
    let (_, rest) = page.split_once("<style>").expect("a style sheet");
    let (style, _) = rest.split_once("</style>").expect("its end");
    assert_eq!(style.matches("url(").count(), style.matches("url(#").count(), "it loads nothing");
    assert!(!style.contains('@') || !style.contains("@import"), "it loads nothing");
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    assert!(parsed.values("content").any(|value| value == policy), "no policy {policy}");
    let hostile = page.lines().find_map(evtap::text::terminal::first_hostile);
    assert_eq!(hostile.map(u32::from), None);
    let ids: Vec<_> = parsed.values("id").collect();
    assert!((1..ids.len()).all(|at| !ids[..at].contains(&ids[at])), "an id is used twice");
    parsed
}

/// Whether an attribute is one of evtap's, with a value that is one of evtap's too.
fn fits(tag: &str, name: &str, value: &str) -> bool {
    let is_word =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_length = |value: &str| {
        let value = value.strip_suffix('%').unwrap_or(value);
        value.parse::<f64>().is_ok_and(f64::is_finite)
    };
    let is_entry = |id: &str| {
        id.strip_prefix('e').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match name {
        name if TEXTS.contains(&name) => true,
        "class" => value.split(' ').all(is_word),
        "id" => tag == "pattern" || is_entry(value),
        "href" => tag == "a" && value.strip_prefix('#').is_some_and(is_entry),
        "datetime" | "title" => value.is_empty() || value.parse::<jiff::Timestamp>().is_ok(),
        "lang" | "charset" | "http-equiv" | "name" | "content" => matches!(tag, "html" | "meta"),
        "scope" | "role" | "colspan" | "tabindex" | "aria-hidden" | "focusable" => is_word(value),
        "x" | "y" | "x1" | "y1" | "x2" | "y2" | "cx" | "cy" | "r" | "dx" | "width" | "height" => {
            is_length(value)
        }
        "points" | "viewbox" => value.split([' ', ',']).all(is_length),
        "preserveaspectratio" => value == "none",
        "patternunits" | "patterntransform" => tag == "pattern",
        _ => false,
    }
}
