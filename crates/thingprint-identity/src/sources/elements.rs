//! Elements of type, length and value, one behind the other, as frames of discovery protocols have them.

use std::iter::from_fn;

/// The type and the value of each element; `head` reads the type and the length of the value from what stands in front of it. An
/// element that is longer than what is left ends them.
pub(super) fn elements<const HEAD: usize>(
    bytes: &[u8],
    head: impl Fn([u8; HEAD]) -> Option<(u16, usize)>,
) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    from_fn(move || {
        let (front, behind) = rest.split_first_chunk::<HEAD>()?;
        let (kind, length) = head(*front)?;
        let (value, next) = behind.split_at_checked(length)?;
        rest = next;
        Some((kind, value))
    })
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn elements_end_where_one_is_cut() {
        let head = |[kind, length]: [u8; 2]| Some((kind.into(), length.into()));
        let bytes = [1, 2, b'a', b'b', 2, 0, 3, 4, b'c'];
        let found: Vec<_> = elements(&bytes, head).collect();
        assert_eq!(found, [(1, &b"ab"[..]), (2, b"")]);
    }
}
