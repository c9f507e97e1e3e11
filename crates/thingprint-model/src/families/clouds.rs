/// Registrable domains that belong to whoever rents them or to everybody: clouds, content networks, public services of time
/// and names. A device that names one says nothing of its maker.
///
/// Each is named as the operator's own domain for its customers or for the public in the operator's documentation, as of
/// November 2026. In byte order.
pub(super) const SHARED: &[&str] = &[
    "akadns.net",
    "akamai.net",
    "akamaiedge.net",
    "akamaihd.net",
    "akamaized.net",
    "aliyuncs.com",
    "amazonaws.com",
    "amazonaws.com.cn",
    "appspot.com",
    "azure-api.net",
    "azure-devices.net",
    "azure.com",
    "azureedge.net",
    "azurewebsites.net",
    "cloudapp.net",
    "cloudflare-dns.com",
    "cloudflare.com",
    "cloudflare.net",
    "cloudfront.net",
    "crashlytics.com",
    "digitaloceanspaces.com",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "firebaseio.com",
    "googleapis.com",
    "googleusercontent.com",
    "gstatic.com",
    "herokuapp.com",
    "in-addr.arpa",
    "ip6.arpa",
    "local",
    "nist.gov",
    "ntp.org",
    "opendns.com",
    "pubnub.com",
    "pubnub.net",
    "quad9.net",
    "trafficmanager.net",
    "windows.net",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(SHARED.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        assert!(SHARED.iter().all(|domain| *domain == domain.to_ascii_lowercase()));
    }
}
