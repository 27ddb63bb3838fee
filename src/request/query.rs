//! Parameters of a query.

pub(crate) fn query_values<'a>(path: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let mut parts = path.splitn(2, |&byte| byte == b'?');
    let query = parts.nth(1).unwrap_or_default();
    query
        .split(|&byte| byte == b'&')
        .filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
