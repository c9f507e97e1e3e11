//! Who may see the page, and what others cannot do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use serde_json::json;
use thingprint_web::{Web, WebOptions};

use client::{ask, get, post, post_json, raw, start, start_with};
use fake::{Fake, id};

mod client;
mod fake;

const TOKEN: &str = "3f0c9a7e5b1d2468ace0";
const FORM: &str = "application/x-www-form-urlencoded";

fn protected() -> Web {
    start_with(WebOptions { token: Some(TOKEN.into()), ..WebOptions::default() }, Fake::with_devices(3))
}

#[test]
fn only_requests_that_name_a_host_of_the_page_are_answered() {
    let options = WebOptions { trusted_hosts: vec!["page.example.org".into()], ..WebOptions::default() };
    let web = start_with(options, Fake::with_devices(3));
    let port = web.address().port();
    let check = |host: &str, expected: u16| {
        for path in ["/", "/api/v1/devices", "/healthz", "/static/page.css"] {
            assert_eq!(ask(&web, "GET", path, &[("Host", host)], "").status, expected, "{host} {path}");
        }
    };
    for host in [&format!("localhost:{port}"), &format!("127.0.0.1:{port}"), "[::1]", "PAGE.example.org"] {
        check(host, 200);
    }
    for host in ["evil.example", "192.168.1.5", "localhost.evil.example", "127.0.0.1.evil.example"] {
        check(host, 421);
    }
    assert_eq!(raw(&web, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400);
    let two = "GET / HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: localhost\r\n\r\n";
    assert_eq!(raw(&web, two).status, 400);
    let target = "GET http://evil.example/ HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n";
    assert_eq!(raw(&web, target).status, 421);
}

#[test]
fn other_pages_change_nothing() {
    let fake = Fake::with_devices(3);
    let web = start(fake.clone());
    let own = format!("http://{}", web.address());
    let form = format!("request=mute&is_muted=true&device={}", id(0));
    let check = |headers: &[(&str, &str)], expected: u16| {
        fake.world().requests.clear();
        let answer = ask(&web, "POST", "/requests", headers, &form);
        assert_eq!(answer.status, expected, "{headers:?}");
        assert_eq!(fake.world().requests.len(), usize::from(expected == 303), "{headers:?}");
    };
    let form_type = ("Content-Type", FORM);
    check(&[form_type, ("Origin", &own)], 303);
    check(&[form_type, ("Origin", "null"), ("Sec-Fetch-Site", "same-origin")], 303);
    check(&[form_type], 403);
    let said = |headers: &[(&str, &str)]| ask(&web, "POST", "/requests", headers, &form).body;
    assert!(said(&[form_type]).contains("Content-Type: application/json"), "{}", said(&[form_type]));
    assert!(said(&[form_type, ("Origin", "null")]).contains("from another page"));
    check(&[form_type, ("Origin", "null")], 403);
    check(&[form_type, ("Origin", "https://evil.example")], 403);
    check(&[form_type, ("Origin", "http://127.0.0.1:1")], 403);
    for site in ["cross-site", "same-site", "none"] {
        check(&[form_type, ("Origin", &own), ("Sec-Fetch-Site", site)], 403);
    }
    let json = json!({ "request": "mute", "device": id(0).to_string(), "is_muted": true });
    assert_eq!(post_json(&web, "/api/v1/requests", &json).status, 200);
    let plain = [("Content-Type", "text/plain"), ("Origin", own.as_str())];
    assert_eq!(ask(&web, "POST", "/api/v1/requests", &plain, &json.to_string()).status, 415);
    let evil = [("Content-Type", "application/json"), ("Origin", "https://evil.example")];
    assert_eq!(ask(&web, "POST", "/api/v1/requests", &evil, &json.to_string()).status, 403);
}

#[test]
fn nothing_is_shown_without_the_token() {
    let web = protected();
    let paths = [
        "/",
        "/changes",
        "/findings",
        "/health",
        "/model",
        "/devices/a8:40:00:00:00:01",
        "/static/page.css",
        "/static/page.js",
        "/metrics",
        "/api/v1/devices",
        "/api/v1/updates",
        "/nothing",
    ];
    for path in paths {
        let answer = get(&web, path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains("lumenhaus") && !answer.body.contains(TOKEN), "{path}");
        let wrong = [("Authorization", "Bearer 3f0c9a7e5b1d2468ace1")];
        assert_eq!(ask(&web, "GET", path, &wrong, "").status, 401, "{path}");
    }
    assert_eq!(get(&web, "/healthz").body, "ok\n");
    let right = format!("Bearer {TOKEN}");
    for path in paths.iter().filter(|path| !matches!(**path, "/api/v1/updates" | "/nothing")) {
        assert_eq!(ask(&web, "GET", path, &[("Authorization", &right)], "").status, 200, "{path}");
    }
    let request = json!({ "request": "train" }).to_string();
    let headers = [("Content-Type", "application/json")];
    assert_eq!(ask(&web, "POST", "/api/v1/requests", &headers, &request).status, 401);
}

#[test]
fn the_token_goes_from_the_address_into_a_cookie() {
    let web = protected();
    assert_eq!(web.url(), format!("http://{}/?token={TOKEN}", web.address()));
    let answer = get(&web, &format!("/changes?since=7d&token={TOKEN}"));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/changes?since=7d")));
    let cookie = answer.header("set-cookie").unwrap();
    let port = web.address().port();
    assert!(cookie.starts_with(&format!("thingprint-{port}={TOKEN};")), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(ask(&web, "GET", "/changes?since=7d", &[("Cookie", pair)], "").status, 200);
    let foreign = get(&web, &format!("//evil.example/?token={TOKEN}"));
    assert_eq!(foreign.header("location"), Some("/"));
    assert_eq!(get(&web, "/?token=wrong").status, 401);
}

#[test]
fn the_form_for_the_token_works_without_scripts() {
    let web = protected();
    let form = get(&web, "/findings?state=all");
    assert!(form.body.contains("action=\"/login\"") && form.body.contains("value=\"/findings?state=all\""));
    let wrong = post(&web, "/login", "token=guess&back=%2Ffindings");
    assert!(wrong.status == 401 && wrong.body.contains("That token is wrong"), "{wrong:?}");
    let right = post(&web, "/login", &format!("token={TOKEN}&back=%2Ffindings"));
    assert_eq!((right.status, right.header("location")), (303, Some("/findings")));
    assert!(right.header("set-cookie").is_some());
    let away = post(&web, "/login", &format!("token={TOKEN}&back=%2F%2Fevil.example"));
    assert_eq!(away.header("location"), Some("/"));
}

#[test]
fn every_answer_has_the_headers_that_keep_the_page_safe() {
    let web = protected();
    let open = start(Fake::with_devices(3));
    let answers = [
        get(&open, "/"),
        get(&open, "/api/v1/devices"),
        get(&open, "/nothing"),
        get(&open, "/static/page.js"),
        get(&web, "/"),
        get(&web, "/healthz"),
        ask(&open, "GET", "/", &[("Host", "evil.example")], ""),
        ask(&open, "DELETE", "/", &[("Origin", "http://localhost"), ("Host", "localhost")], ""),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(get(&open, "/").header("cache-control"), Some("no-store"));
}

#[test]
fn no_markup_of_the_page_needs_inline_scripts_or_styles() {
    let web = start(Fake::with_devices(12));
    for path in ["/", "/devices/a8:40:00:00:00:03", "/changes?since=all", "/findings", "/health", "/model"] {
        let body = get(&web, path).body;
        for bad in ["<style", " style=", "<script>", " onclick", "javascript:", "http://", "https://"] {
            let found = body.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!found.contains(bad), "{bad} is in {path}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_had_are_errors_that_say_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = |listen: SocketAddr, token: Option<&str>| {
        let options = WebOptions { listen, token: token.map(str::to_owned), ..WebOptions::default() };
        Web::start(options, Arc::new(Fake::with_devices(1))).map(|_| ()).unwrap_err().to_string()
    };
    let address = taken.local_addr().unwrap();
    let error = start(address, None);
    assert!(error.contains(&address.to_string()) && error.contains("choose another port"), "{error}");
    let error = start("0.0.0.0:0".parse().unwrap(), None);
    assert!(error.contains("there is no token") && error.contains("127.0.0.1"), "{error}");
    assert!(start(address, Some("short")).contains("too short"));
    let error = start("192.0.2.1:7860".parse().unwrap(), Some(TOKEN));
    assert!(error.contains("this machine does not have the address"), "{error}");
}
