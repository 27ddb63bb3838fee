//! Names like the one that was given.

/// ` (did you mean "x"?)`, or nothing where no name is like it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let distance = |known: &str| strsim::osa_distance(name, known);
    let near = |known: &&str| {
        let most = (name.chars().count() / 3).max(2);
        distance(known) <= most || known.contains(name) && !name.is_empty()
    };
    let best = known.into_iter().filter(near).min_by_key(|it| distance(it));
    best.map_or_else(String::new, |best| format!(" (did you mean {best:?}?)"))
}
