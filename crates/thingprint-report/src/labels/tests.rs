use thingprint_instance::Kind;
use thingprint_table::rfc3339;

use super::*;

const ECHO: &str = "44:65:0d:56:cc:d3";

fn read(text: &str) -> Labels {
    Labels::read(text.as_bytes(), "home.csv").unwrap()
}

fn label(class: &str, kind: Kind) -> Label {
    Label::new(class, kind)
}

fn device(text: &str) -> DeviceId {
    text.parse().unwrap()
}

#[test]
fn labels_hold_for_every_capture() {
    let labels =
        read("mac,label,kind\n44:65:0D:56:CC:D3,Echo,iot\n02-00-00-00-00-01,\"Laptop, old\",non-iot\n");
    assert_eq!(labels.label_of(device(ECHO), None), Some(&label("Echo", Kind::Iot)));
    assert_eq!(labels.label_of(device(ECHO), Some("a.pcap")), Some(&label("Echo", Kind::Iot)));
    let laptop = device("02:00:00:00:00:01");
    assert_eq!(labels.label_of(laptop, None), Some(&label("Laptop, old", Kind::NonIot)));
    assert_eq!(labels.label_of(device("02:00:00:00:00:02"), None), None);
    assert_eq!(labels.devices().collect::<Vec<_>>(), [laptop, device(ECHO)]);
}

#[test]
fn what_spreadsheets_and_people_add_is_read() {
    let text = "\u{feff}Mac , Label,KIND,note\r\n\r\n# the kitchen\r\n 44:65:0d:56:cc:d3 , Echo , IoT ,x\r\n10.0.0.7,Küche,,\r\n";
    let labels = read(text);
    assert_eq!(labels.label_of(device(ECHO), None), Some(&label("Echo", Kind::Iot)));
    assert_eq!(labels.label_of(device("10.0.0.7"), None), Some(&label("Küche", Kind::Iot)));
}

#[test]
fn a_manifest_tells_devices_apart_by_capture() {
    let labels = read(&format!("folder,mac,label\nAria,{ECHO},Aria\nWithings,{ECHO},Withings\n"));
    let of = |capture| labels.label_of(device(ECHO), capture).map(|label| label.class.as_str());
    assert_eq!(of(Some("sentinel/Aria/Setup-1.pcap.gz")), Some("Aria"));
    assert_eq!(of(Some("sentinel/Withings/Setup-1.pcap.gz")), Some("Withings"));
    assert_eq!(of(Some("sentinel/Hue/Setup-1.pcap.gz")), None);
    assert_eq!(of(None), None);
}

#[test]
fn without_a_capture_rows_that_agree_are_enough() {
    let labels = read(&format!("capture,mac,label,kind\na*,{ECHO},Echo,iot\nb*,{ECHO},Echo,iot\n"));
    assert_eq!(labels.label_of(device(ECHO), None), Some(&label("Echo", Kind::Iot)));
}

#[test]
fn classes_that_differ_in_case_or_blanks_are_found() {
    let labels = read(
        "mac,label,kind\n020000000001,Ring Doorbell,iot\n020000000002,ring doorbell,iot\n\
         0200.0000.0003,RingDoorbell,iot\n02-00-00-00-00-04,Echo,iot\n02:00:00:00:00:05,Echo,iot\n",
    );
    assert_eq!(labels.similar_classes(), [["Ring Doorbell", "RingDoorbell", "ring doorbell"]]);
    assert_eq!(labels.classes_of(device("02:00:00:00:00:04")).collect::<Vec<_>>(), ["Echo"]);
}

#[test]
fn the_first_row_that_fits_wins() {
    let labels = read(&format!("capture,mac,label\nday-1.pcap,{ECHO},Echo\n*,{ECHO},Other\n"));
    let of = |capture| labels.label_of(device(ECHO), Some(capture)).map(|label| label.class.as_str());
    assert_eq!(of("x/day-1.pcap"), Some("Echo"));
    assert_eq!(of("x/day-2.pcap"), Some("Other"));
}

#[test]
fn rows_for_some_hours_hold_for_the_windows_that_begin_in_them() {
    let labels = read(&format!(
        "mac,label,kind,from,to\n{ECHO},Echo,iot,2019-07-01T13:00:00Z,2019-07-01T15:00:00Z\n{ECHO},Dot,iot,2019-07-02,\n"
    ));
    let at = |time: &str| {
        let time = rfc3339::parse(time).unwrap();
        labels.label_at(device(ECHO), None, time).map(|label| label.class.as_str())
    };
    assert_eq!(at("2019-07-01T12:00:00Z"), None);
    assert_eq!(at("2019-07-01T13:00:00Z"), Some("Echo"));
    assert_eq!(at("2019-07-01T14:59:00Z"), Some("Echo"));
    assert_eq!(at("2019-07-01T15:00:00Z"), None);
    assert_eq!(at("2030-01-01T00:00:00Z"), Some("Dot"));
    assert_eq!(labels.label_of(device(ECHO), None), None, "the device has two labels over time");
}

#[test]
fn periods_that_overlap_or_are_empty_are_refused() {
    let fails = |rows: &str, reason: &str| {
        let text = format!("mac,label,kind,from,to\n{rows}");
        let error = Labels::read(text.replace("ECHO", ECHO).as_bytes(), "home.csv").unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    };
    fails("ECHO,Echo,iot,,2019-07-03\nECHO,Dot,iot,2019-07-02,\n", "already labelled 'Echo' (iot) on line 2");
    fails("ECHO,Echo,iot,,\nECHO,Dot,iot,2019-07-02,\n", "already labelled 'Echo'");
    fails("ECHO,Echo,iot,2019-07-03,2019-07-03\n", "not after 'from'");
    fails("ECHO,Echo,iot,noon,\n", "unknown time 'noon'");
    fails("ECHO,Echo,iot,20190701,\n", "unknown time '20190701'");
}

#[test]
fn a_class_has_one_family() {
    let labels = read(&format!("mac,label,kind,vendor\n{ECHO},Echo,iot,Amazon\n020000000001,Dot,iot,\n"));
    let family = |mac| labels.label_of(device(mac), None).and_then(|label| label.family.as_deref());
    assert_eq!((family(ECHO), family("02:00:00:00:00:01")), (Some("Amazon"), None));
    let labels = read(&format!("mac,label,kind,family\n020000000001,Echo,iot,\n{ECHO},Echo,iot,Amazon\n"));
    assert_eq!(labels.label_of(device(ECHO), None).unwrap().family.as_deref(), Some("Amazon"));
    let text = format!("mac,label,kind,family,vendor\n{ECHO},Echo,iot,Amazon,Acme\n");
    let error = Labels::read(text.as_bytes(), "home.csv").unwrap_err().to_string();
    assert!(error.contains("columns 'family' and 'vendor' mean the same"), "{error}");
    let text = format!("mac,label,kind,family\n{ECHO},Echo,iot,Amazon\n020000000001,Echo,iot,Acme\n");
    let error = Labels::read(text.as_bytes(), "home.csv").unwrap_err().to_string();
    assert!(error.contains("the class 'Echo' has family 'Amazon' on line 2"), "{error}");
}

#[test]
fn the_same_label_twice_is_one() {
    let row = format!("{ECHO},Echo,iot\n");
    assert_eq!(read(&format!("mac,label,kind\n{row}{row}")), read(&format!("mac,label,kind\n{row}")));
}

#[test]
fn an_error_names_file_line_column_and_reason() {
    let check = |bytes: &[u8], expected: &str| {
        let error = Labels::read(bytes, "home.csv").unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(b"", "read home.csv: the file is empty");
    check(b"\xef\xbb\xbf \r\n", "read home.csv: the file is empty");
    check(b"mac|label|kind\n", "read home.csv: no column `mac`, found mac|label|kind");
    check(b"mac,kind\n", "read home.csv: no column `label`, found mac, kind");
    check(b"mac,label\n", "read home.csv: no column `kind`, found mac, label");
    check(
        b"mac,label,kind\n\n# comment\n44:65:0d:56:cc,Echo,iot\n",
        "read home.csv: line 4, column mac: '44:65:0d:56:cc' is neither a MAC address nor an IP address",
    );
    check(
        b"mac,label,kind\nff:ff:ff:ff:ff:ff,All,iot\n",
        "read home.csv: line 2, column mac: ff:ff:ff:ff:ff:ff is the address of a group, not of a device",
    );
    check(b"mac,label,kind\r\n44:65:0d:56:cc:d3, ,iot\r\n", "read home.csv: line 2, column label: empty");
    check(
        b"mac,label,kind\n44:65:0d:56:cc:d3,Echo,gadget\n",
        "read home.csv: line 2, column kind: 'gadget' is no kind of device: expected iot or non-iot",
    );
    check(
        b"mac,label,kind\n44:65:0d:56:cc:d3,\"two\nlines\",iot\n44:65:0d:56:cc:d3,Dot,iot\n",
        "read home.csv: line 4, column label: 44:65:0d:56:cc:d3 is already labelled 'two\nlines' (iot) on line 2",
    );
    check(
        b"mac,label,kind\n44:65:0d:56:cc:d3,Echo,iot\n44:65:0d:56:cc:d3,Echo,non-iot\n",
        "read home.csv: line 3, column label: 44:65:0d:56:cc:d3 is already labelled 'Echo' (iot) on line 2",
    );
    check(
        b"mac,label,kind\n44:65:0d:56:cc:d3,K\xfcche,iot\n",
        "read home.csv: line 2, column label: not UTF-8 text: save the file as UTF-8 (CSV UTF-8 in \
         spreadsheets)",
    );
    check(
        b"mac,label,kind\n44:65:0d:56:cc:d3,Laptop, old,iot\n",
        "read home.csv: line 2: 4 values for 3 columns; a value with a comma in it needs quotes",
    );
    check(
        b"capture,mac,label\n,44:65:0d:56:cc:d3,Echo\n",
        "read home.csv: line 2, column capture: empty; * stands for every capture",
    );
    check(
        b"capture,mac,label\na**,44:65:0d:56:cc:d3,Echo\n",
        "read home.csv: line 2, column capture: Pattern syntax error near position 0: recursive wildcards must form a single path component",
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Labels::read(&bytes, "x");
        let with_header = [b"capture,mac,label\n".as_slice(), &bytes].concat();
        let _ = Labels::read(&with_header, "x");
    }
}

/// As German and French settings write CSV, as "Unicode text" is, and with the line that names the delimiter.
#[test]
fn semicolons_tabs_and_utf_16_are_read_as_spreadsheets_write_them() {
    let rows = "mac;label;kind\r\n44:65:d:56:cc:d3;Küche, oben;iot\r\n;;\r\n2:0:0:0:0:1;Laptop;non-iot\r\n";
    let units = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    let tabs = rows.replace(';', "\t");
    let forms = [
        rows.as_bytes().to_vec(),
        format!("\u{feff}{rows}").into_bytes(),
        format!("sep=;\r\n{rows}").into_bytes(),
        format!("\u{feff}SEP=\t\r\n{tabs}").into_bytes(),
        tabs.clone().into_bytes(),
        rows.replace("mac;", "\"mac\";").into_bytes(),
        units(rows, u16::to_le_bytes),
        units(&tabs, u16::to_be_bytes),
    ];
    for form in forms {
        let labels = Labels::read(&form, "home.csv").unwrap();
        let class = labels.label_of(device(ECHO), None).map(|label| label.class.as_str());
        assert_eq!(class, Some("Küche, oben"), "{}", form.escape_ascii());
        assert!(labels.label_of(device("02:00:00:00:00:01"), None).is_some());
    }
}

#[test]
fn what_a_spreadsheet_spoilt_is_refused_with_the_cause_and_the_remedy() {
    let check = |bytes: &[u8], expected: &[&str]| {
        let error = Labels::read(bytes, "home.csv").unwrap_err().to_string();
        assert!(expected.iter().all(|text| error.contains(text)), "{error}");
    };
    let row = |address: &str| format!("mac;label;kind\n{address};Echo;iot\n").into_bytes();
    check(&row("1122334455"), &["home.csv: line 2", "drops zeros", "with colons"]);
    check(&row("1,12E+11"), &["home.csv: line 2", "made a number of it", "as text"]);
    check(&row("1E+11"), &["made a number of it"]);
    check(b"mac;label;kind\n44:65:0d:56:cc:d3;a;b;iot\n", &["4 values for 3 columns", "a semicolon"]);
    check(b"mac,label,kind\n44:65:0d:56:cc:d3,K\xfcche,iot\n", &["line 2", "CSV UTF-8"]);
    check(b"m\0a\0c\0,\0l\0", &["UTF-16 without its mark"]);
    check(b"\xff\xfem\0a", &["cut or damaged"]);
    check(b"PK\x03\x04\x14\0", &["a workbook", "CSV UTF-8"]);
    check(b"address;label;kind\n", &["no column `mac`"]);
}
