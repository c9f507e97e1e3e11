use crate::cursor::Cursor;

/// RFC 1035 §4.1.1.
pub(super) const HEADER_BYTES: usize = 12;
/// More questions than this in one message are nobody's; mDNS asks more than a dozen at once.
const MOST_QUESTIONS: u16 = 64;
/// A root name, a type and a class.
const LEAST_QUESTION_BYTES: usize = 5;
/// A root name, a type, a class, a time to live and an empty record.
const LEAST_RECORD_BYTES: usize = 11;

/// The header of a DNS message (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additional: u16,
}

impl Header {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            id: cursor.u16()?,
            flags: cursor.u16()?,
            questions: cursor.u16()?,
            answers: cursor.u16()?,
            authorities: cursor.u16()?,
            additional: cursor.u16()?,
        })
    }

    /// QR.
    pub(super) const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// Records of the three sections after the questions.
    pub(super) fn records(&self) -> usize {
        usize::from(self.answers) + usize::from(self.authorities) + usize::from(self.additional)
    }

    /// Whether a message of `length` bytes may begin like this: a standard query, notify or update; Z not set; a
    /// query without a result code; counts for which there is room, unless the message says that it was cut (TC).
    pub(super) fn is_plausible(&self, length: usize) -> bool {
        let opcode = self.flags >> 11 & 0x0f;
        let is_zero_kept = self.flags & 0x0040 == 0;
        let is_cut = self.flags & 0x0200 != 0;
        let result_code = self.flags & 0x000f;
        let least = HEADER_BYTES
            + LEAST_QUESTION_BYTES * usize::from(self.questions)
            + if is_cut { 0 } else { LEAST_RECORD_BYTES * self.records() };
        let is_direction_plausible = if self.is_response() {
            result_code <= 11 && usize::from(self.questions) + self.records() > 0
        } else {
            result_code == 0 && self.questions > 0
        };
        matches!(opcode, 0 | 4 | 5)
            && is_zero_kept
            && self.questions <= MOST_QUESTIONS
            && least <= length
            && is_direction_plausible
    }
}
