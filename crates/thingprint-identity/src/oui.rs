use thingprint_flow::MacAddr;

/// Digits of a block, its five bytes, and the place of the name: written by the build script, in order.
static ROWS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/oui.rows"));
/// Names, each with its length in front.
static NAMES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/oui.names"));
const ROW_BYTES: usize = 9;
const KEY_BYTES: usize = 6;
/// Digits of the blocks that the IEEE gives out, the smallest blocks first.
const DIGITS: [u8; 3] = [9, 7, 6];
/// Digits that a row holds.
const ROW_DIGITS: u8 = 10;

/// The organisation that registered the block of an address with the IEEE; `None` for an address that is not registered, as
/// randomised ones are.
pub fn organisation(mac: MacAddr) -> Option<&'static str> {
    if mac.is_locally_administered() || mac.is_group() {
        return None;
    }
    let [block @ .., _] = mac.octets();
    let address = block.into_iter().fold(0_u64, |address, octet| address << 8 | u64::from(octet));
    DIGITS.iter().find_map(|digits| {
        let others = 4 * u32::from(ROW_DIGITS - digits);
        let [_, _, _, block @ ..] = (address >> others << others).to_be_bytes();
        let mut key = [*digits; KEY_BYTES];
        key.get_mut(1..)?.copy_from_slice(&block);
        name(place(key)?)
    })
}

/// The place of the name of a block.
fn place(key: [u8; KEY_BYTES]) -> Option<usize> {
    let (rows, _) = ROWS.as_chunks::<ROW_BYTES>();
    let at = rows.binary_search_by(|row| row.get(..KEY_BYTES).cmp(&Some(key.as_slice()))).ok()?;
    let [.., a, b, c] = *rows.get(at)?;
    Some(u32::from_be_bytes([0, a, b, c]) as usize)
}

fn name(place: usize) -> Option<&'static str> {
    let (length, rest) = NAMES.get(place..)?.split_first()?;
    std::str::from_utf8(rest.get(..usize::from(*length))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mac: &str) -> Option<&'static str> {
        organisation(mac.parse().unwrap())
    }

    #[test]
    fn a_block_has_an_organisation_and_the_smallest_block_counts() {
        assert_eq!(of("00:00:00:12:34:56"), Some("XEROX CORPORATION"));
        assert_eq!(of("50:a6:d8:00:00:00"), Some("Apple, Inc."));
        // 70:b3:d5 is cut into blocks of 36 bits.
        assert!(of("70:b3:d5:00:10:00").is_some());
        assert_ne!(of("70:b3:d5:00:10:00"), of("70:b3:d5:00:20:00"));
    }

    #[test]
    fn an_address_that_is_made_up_has_none() {
        assert_eq!(of("02:00:00:12:34:56"), None, "locally administered");
        assert_eq!(of("52:a6:d8:00:00:00"), None, "randomised");
        assert_eq!(of("01:00:5e:00:00:fb"), None, "a group");
    }

    #[test]
    fn the_tables_stay_small() {
        assert!(ROWS.len() + NAMES.len() < 1_400_000, "{} and {} bytes", ROWS.len(), NAMES.len());
        assert!(ROWS.len() > 300_000);
        assert!(ROWS.as_chunks::<ROW_BYTES>().0.is_sorted());
    }
}
