use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::LazyLock;

/// The table; a further resolver is one more line of it.
const TABLE: &str = include_str!("resolvers.csv");

static RESOLVERS: LazyLock<Resolvers> = LazyLock::new(|| Resolvers::of(TABLE));

/// Public resolvers that answer encrypted DNS.
#[derive(Debug, Default)]
struct Resolvers {
    names: BTreeSet<&'static str>,
    addresses: BTreeSet<IpAddr>,
}

impl Resolvers {
    fn of(table: &'static str) -> Self {
        let mut resolvers = Self::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(',').skip(1).map(str::split_whitespace);
            resolvers.names.extend(fields.next().into_iter().flatten());
            let addresses = fields.next().into_iter().flatten();
            resolvers.addresses.extend(addresses.filter_map(|address| address.parse::<IpAddr>().ok()));
        }
        resolvers
    }
}

/// Whether a name is a resolver's, or below one.
pub(super) fn is_resolver_name(name: &str) -> bool {
    let suffixes = name.match_indices('.').filter_map(|(at, _)| name.get(at + 1..));
    std::iter::once(name).chain(suffixes).any(|suffix| RESOLVERS.names.contains(suffix))
}

/// Whether an address is a resolver's.
pub(super) fn is_resolver_address(address: IpAddr) -> bool {
    RESOLVERS.addresses.contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_an_operator_names_and_addresses() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split(',').collect();
            let [operator, names, addresses] = fields.as_slice() else { panic!("{line}") };
            assert!(!operator.is_empty() && !names.is_empty(), "{line}");
            assert!(
                names.split(' ').all(|name| name.contains('.') && *name == name.to_lowercase()),
                "{line}"
            );
            let are_addresses = addresses.split_whitespace().all(|address| address.parse::<IpAddr>().is_ok());
            assert!(are_addresses, "{line}");
        }
        assert!(TABLE.starts_with('#'), "the table says where it comes from");
    }

    #[test]
    fn names_below_a_resolver_are_its_own() {
        assert!(is_resolver_name("dns.google") && is_resolver_name("mozilla.cloudflare-dns.com"));
        assert!(!is_resolver_name("notdns.google") && !is_resolver_name("google") && !is_resolver_name(""));
        assert!(is_resolver_address(IpAddr::from([9, 9, 9, 9])));
        assert!(!is_resolver_address(IpAddr::from([192, 0, 2, 1])));
    }
}
