//! The files of the page, which are part of the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

const STYLE: &str = concat!(include_str!("page/page.css"), "\n");
const SCRIPT: &str = include_str!("page/page.js");
const ICON: &str = include_str!("page/icon.svg");
/// Files are known by their version: a year is for ever.
const CACHED: &str = "private, max-age=31536000, immutable";

/// The style sheet, with that of figures.
pub(crate) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", STYLE.to_owned() + thingprint_figure::Drawing::STYLE)
}

/// The script.
pub(crate) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", SCRIPT.to_owned())
}

/// The sign in the tab of the browser.
pub(crate) async fn icon() -> impl IntoResponse {
    file("image/svg+xml", ICON.to_owned())
}

/// A number that is another one when one of the files is (FNV-1a).
pub(crate) fn version() -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let files = [STYLE, thingprint_figure::Drawing::STYLE, SCRIPT, ICON];
    let bytes = files.iter().flat_map(|file| file.bytes());
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

fn file(media: &'static str, text: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, media), (CACHE_CONTROL, CACHED)], text)
}
