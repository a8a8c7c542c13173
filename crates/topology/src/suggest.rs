//! placeholder until the document branch lands
pub(crate) fn nearest<'a>(_: &str, _: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    None
}
pub(crate) fn listed(names: &[&str]) -> String {
    names.join(", ")
}
