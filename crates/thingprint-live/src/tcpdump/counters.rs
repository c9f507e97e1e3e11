/// What tcpdump counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Packets that the kernel dropped, since they were read too slowly.
    pub(super) dropped: u64,
}

impl Counters {
    /// Reads a line of counts, as tcpdump prints it on `SIGUSR1` (all in one) and at its end (one each).
    ///
    /// Packets that the interface itself dropped are told as `by interface`, and were lost as well.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut counters = None;
        for part in line.split(',') {
            let mut words = part.trim().trim_start_matches("tcpdump: ").split_whitespace();
            let count = words.next().and_then(|count| count.parse::<u64>().ok());
            let is_dropped = words.next().is_some_and(|noun| noun.starts_with("packet"))
                && words.next() == Some("dropped")
                && words.next() == Some("by");
            if let Some(count) = count.filter(|_| is_dropped) {
                let dropped = counters.map_or(0, |Self { dropped }| dropped).saturating_add(count);
                counters = Some(Self { dropped });
            }
        }
        counters
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn drops_are_read_from_lines_of_every_form() {
        let check = |line: &str, dropped: Option<u64>| {
            assert_eq!(Counters::of(line).map(|counters| counters.dropped), dropped, "{line}");
        };
        check(
            "tcpdump: 5 packets captured, 7 packets received by filter, 2 packets dropped by kernel",
            Some(2),
        );
        check("1 packet captured, 1 packet received by filter, 1 packet dropped by kernel", Some(1));
        check(
            "tcpdump: 5 packets captured, 7 packets received by filter, 2 packets dropped by kernel, 3 packets dropped by interface",
            Some(5),
        );
        check("12 packets dropped by kernel", Some(12));
        check("12 packets captured", None);
        check("tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes", None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in ".*") {
            let _ = Counters::of(&line);
        }
    }
}
