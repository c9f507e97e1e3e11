use crate::SynFields;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const SEGMENT_BYTES: u8 = 2;
const WINDOW_SHIFT: u8 = 3;
/// Length of a header without options, in bytes.
const HEADER: usize = 20;

/// What a TCP header with SYN offers (RFC 9293 §3.1), as far as it was captured.
#[cold]
pub(super) fn offered(header: &[u8]) -> SynFields {
    let mut syn = SynFields::default();
    let Some([high, low]) = header.get(14..).and_then(<[u8]>::first_chunk) else { return syn };
    syn.window = u16::from_be_bytes([*high, *low]);
    let length = header.get(12).map_or(HEADER, |byte| usize::from(byte >> 4) * 4);
    let mut rest = header.get(HEADER..length.min(header.len())).unwrap_or_default();
    for place in &mut syn.options {
        let Some((&kind, after)) = rest.split_first() else { break };
        if kind == NO_OPERATION {
            (*place, rest) = (Some(kind), after);
            continue;
        }
        if kind == END {
            *place = Some(kind);
            break;
        }
        let length = after.first().map_or(0, |length| usize::from(*length));
        let Some((option, behind)) = rest.split_at_checked(length).filter(|(option, _)| option.len() >= 2)
        else {
            break;
        };
        match *option {
            [SEGMENT_BYTES, 4, high, low] => syn.segment_bytes = Some(u16::from_be_bytes([high, low])),
            [WINDOW_SHIFT, 3, shift] => syn.window_shift = Some(shift),
            _ => {}
        }
        (*place, rest) = (Some(kind), behind);
    }
    syn
}

#[cfg(test)]
mod tests {
    use super::offered;
    use crate::SynFields;

    /// A header with SYN, a window of 64240 and these options.
    fn header(options: &[u8]) -> Vec<u8> {
        let length = u8::try_from((20 + options.len()) / 4 * 16).unwrap();
        [&[0; 12][..], &[length, 2, 0xfa, 0xf0, 0, 0, 0, 0], options].concat()
    }

    fn kinds(syn: &SynFields) -> Vec<u8> {
        syn.options.iter().map_while(|kind| *kind).collect()
    }

    #[test]
    fn options_are_listed_in_order() {
        let options = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7];
        let syn = offered(&header(&options));
        assert_eq!((syn.window, syn.segment_bytes, syn.window_shift), (64240, Some(1460), Some(7)));
        assert_eq!(kinds(&syn), [2, 4, 8, 1, 3]);
    }

    #[test]
    fn what_is_behind_the_end_or_damaged_is_no_option() {
        assert_eq!(kinds(&offered(&header(&[1, 0, 2, 4]))), [1, 0]);
        assert_eq!(kinds(&offered(&header(&[1, 2, 9, 9]))), [1], "longer than what is left");
        assert_eq!(kinds(&offered(&header(&[5, 0, 1, 1]))), [0; 0], "shorter than its own head");
        assert_eq!(kinds(&offered(&header(&[1; 40]))).len(), SynFields::MOST_OPTIONS);
        let whole = header(&[2, 4, 5, 0xb4]);
        for length in 0..whole.len() {
            offered(&whole[..length]);
        }
    }
}
