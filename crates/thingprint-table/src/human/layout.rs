/// How a column gives way when the terminal is narrow; those that come first give way last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stretch {
    /// Values stay whole; only the header is broken.
    Rigid,
    /// Values are wrapped.
    Wraps,
    /// Values are shortened.
    Shortens,
}

impl Stretch {
    /// Width that a column keeps when it gives way: a MAC address, or a word or two.
    const fn floor(self) -> usize {
        match self {
            Self::Rigid => usize::MAX,
            Self::Wraps => 17,
            Self::Shortens => 16,
        }
    }

    /// Width of values where no terminal sets one: a bag of hundreds of words has to end somewhere.
    pub(super) fn limit(self, content: usize) -> usize {
        match self {
            Self::Rigid | Self::Wraps => content,
            Self::Shortens => content.min(60),
        }
    }
}

/// What a column asks for, in terminal columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// The header on one line.
    pub(super) header: usize,
    /// The widest piece of the header that is not broken.
    pub(super) header_word: usize,
    /// The widest value.
    pub(super) content: usize,
    /// How the values give way.
    pub(super) stretch: Stretch,
}

impl Need {
    fn natural(&self) -> usize {
        self.content.max(self.header)
    }

    /// The width when only the header gave way.
    fn with_broken_header(&self) -> usize {
        self.content.max(self.header_word)
    }

    fn floor(&self) -> usize {
        self.content.min(self.stretch.floor()).max(self.header_word)
    }
}

/// The width of each column: headers are broken first, then bags shortened, then texts wrapped, the widest column of
/// each sort first, until the table fits into `available`. What still does not fit stays wider.
pub(super) fn widths(needs: &[Need], gap: usize, available: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = needs.iter().map(Need::natural).collect();
    let Some(available) = available else {
        return widths;
    };
    let room = available.saturating_sub(gap * needs.len().saturating_sub(1));
    let broken: Vec<usize> = needs.iter().map(Need::with_broken_header).collect();
    shrink(&mut widths, &broken, room);
    for stretch in [Stretch::Shortens, Stretch::Wraps] {
        let floors: Vec<usize> = needs
            .iter()
            .zip(&widths)
            .map(|(need, width)| if need.stretch == stretch { need.floor() } else { *width })
            .collect();
        shrink(&mut widths, &floors, room);
    }
    widths
}

/// Lowers the widest columns to one common width, none below its floor, until the sum fits into `room`.
fn shrink(widths: &mut [usize], floors: &[usize], room: usize) {
    let capped = |cap: usize| {
        widths.iter().zip(floors).map(move |(width, floor)| (*width).min(cap.max(*floor))).collect::<Vec<_>>()
    };
    let widest = widths.iter().copied().max().unwrap_or(0);
    let fitting = (0..=widest).rev().map(capped).find(|widths| widths.iter().sum::<usize>() <= room);
    let shrunk = fitting.unwrap_or_else(|| capped(0));
    widths.copy_from_slice(&shrunk);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(header: usize, content: usize, stretch: Stretch) -> Need {
        Need { header, header_word: header / 2, content, stretch }
    }

    #[test]
    fn columns_take_what_they_need_when_there_is_room() {
        let needs = [need(6, 17, Stretch::Wraps), need(8, 4, Stretch::Rigid)];
        assert_eq!(widths(&needs, 2, None), [17, 8]);
        assert_eq!(widths(&needs, 2, Some(27)), [17, 8]);
    }

    #[test]
    fn headers_give_way_before_bags_and_bags_before_texts() {
        let needs = [need(6, 30, Stretch::Wraps), need(8, 4, Stretch::Rigid), need(5, 90, Stretch::Shortens)];
        assert_eq!(widths(&needs, 2, Some(130)), [30, 6, 90]);
        assert_eq!(widths(&needs, 2, Some(100)), [30, 4, 62]);
        assert_eq!(widths(&needs, 2, Some(54)), [30, 4, 16]);
        assert_eq!(widths(&needs, 2, Some(50)), [26, 4, 16]);
        assert_eq!(widths(&needs, 2, Some(10)), [17, 4, 16]);
    }
}
