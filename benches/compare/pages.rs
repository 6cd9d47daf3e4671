//! Writes tables into pages of the documentation.

use std::fs;
use std::path::Path;

/// Replaces what stands between `<!-- NAME -->` and `<!-- end of NAME -->` in a page.
pub fn update(page: &str, name: &str, table: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).map_err(|error| format!("{page}: {error}"))?;
    let text = replaced(&text, name, table).ok_or(format!("{page}: no place for {name}"))?;
    fs::write(&path, text).map_err(|error| format!("{page}: {error}"))
}

pub fn replaced(page: &str, name: &str, table: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", table.trim()))
}
