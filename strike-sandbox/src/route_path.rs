//! Matches the path of a request with the pattern of a route.

/// Returns the segment that matches `{}` if the path matches the pattern. Without `{}` it is empty.
pub(crate) fn match_path<'a>(pattern: &str, path: &[&'a str]) -> Option<&'a str> {
    let mut id = "";
    let mut segments = path.iter();
    for expected in pattern.split('/') {
        match (expected, *segments.next()?) {
            ("{}", segment) => id = segment,
            (expected, segment) if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(id)
}
