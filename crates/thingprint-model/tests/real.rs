//! The recipe `best` on captures of real homes, where they are there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use thingprint_flow::{Capture, DeviceId};
use thingprint_instance::{EvidenceSet, Instance, InstanceOptions, Kind, Label, Labeled};
use thingprint_model::{Acceptance, Evaluation, Measures, Model, Prediction, Recipe, Split, TrainOptions};
use thingprint_pipeline::{Captures, Event, InstanceStage, Pipeline};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

/// The captures of a folder and of those in it.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.retain(|path| path.to_string_lossy().contains(".pcap"));
    files.extend(folders.iter().flat_map(|folder| captures(folder)));
    files.sort();
    files
}

/// Instances with all evidence of the captures of a folder, as one trace.
fn instances(folder: &str) -> Option<Vec<Instance>> {
    Some(instances_of(&captures(&shared(folder)?)))
}

fn instances_of(paths: &[PathBuf]) -> Vec<Instance> {
    let open = |path: &PathBuf| {
        let path = path.clone();
        Capture::new(path.display().to_string(), move || Ok(Box::new(File::open(&path)?) as _))
    };
    let source = Captures::new(true, || paths.iter().map(open).collect());
    let options = InstanceOptions { evidence: EvidenceSet::all(), ..InstanceOptions::default() };
    let mut all = Vec::new();
    let Ok(_) = Pipeline::default().run(&source, &InstanceStage::new(options), |event| {
        match event {
            Event::Rows(rows) => all.extend(rows),
            Event::Restart => all.clear(),
        }
        Ok::<_, Infallible>(())
    });
    all.sort_by_key(|instance| (instance.device, instance.window_start));
    all
}

/// The labelled instances of a home over two weeks.
fn home() -> Option<Vec<Labeled>> {
    let text = fs::read_to_string(shared("labels/home.csv")?).unwrap();
    let mut labels: BTreeMap<DeviceId, Label> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let [mac, class, kind] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let label = Label::new(class, kind.parse().unwrap());
        labels.insert(DeviceId::Mac(mac.parse().unwrap()), label);
    }
    let labelled = |instance: Instance| {
        let label = labels.get(&instance.device)?.clone();
        Some(Labeled { instance, label: Some(label) })
    };
    Some(instances("lsif")?.into_iter().filter_map(labelled).collect())
}

fn fit(rows: &[&Labeled]) -> Model {
    Model::fit(rows.iter().copied(), &TrainOptions::of(Recipe::Best), NonZeroUsize::MIN).unwrap()
}

fn predict(model: &Model, instances: &[&Instance]) -> Vec<Prediction> {
    model.predict_all(instances, NonZeroUsize::MIN)
}

fn parts(rows: &[Labeled]) -> (Vec<&Labeled>, Vec<&Labeled>) {
    let partition = "time=0.7".parse::<Split>().unwrap().apply(rows, 1).unwrap().into_first();
    let part = |places: &[usize]| places.iter().map(|&at| &rows[at]).collect();
    (part(&partition.train), part(&partition.test))
}

#[test]
fn later_days_of_a_home_are_recognised() {
    let Some(rows) = home() else { return };
    let (train, test) = parts(&rows);
    let model = fit(&train);
    let answers = model.answers(test.iter().copied(), &Acceptance::default(), NonZeroUsize::MIN);
    let Measures { accuracy, rrse, confident_accuracy, set_coverage: covered, .. } =
        Evaluation::of(&[model.tested(1, answers)], 0.8).unwrap().measures;
    println!("accuracy {accuracy}, RRSE {rrse}");
    assert!(accuracy > 0.95 && rrse < 30.0, "{accuracy} {rrse}");
    assert!(confident_accuracy.unwrap() > 0.99, "{confident_accuracy:?}");
    println!("sets of 0.95 cover {covered}; families {:?}; units {:?}", model.families(), model.units());
    assert!(covered > 0.97, "{covered}");
    assert!(model.units().iter().all(|units| !units.is_refused), "{:?}", model.units());
}

#[test]
fn devices_of_other_homes_are_strangers() {
    let (Some(rows), Some(strangers)) = (home(), instances("sentinel")) else { return };
    let (train, test) = parts(&rows);
    let model = fit(&train);
    let acceptance = Acceptance::default();
    let share = |instances: Vec<&Instance>| {
        let said = predict(&model, &instances);
        let is_rejected = |said: &&Prediction| !model.failed_tests(said, &acceptance).is_empty();
        said.iter().filter(is_rejected).count() as f64 / said.len() as f64
    };
    let known = share(test.iter().map(|row| &row.instance).collect());
    let strange = share(strangers.iter().collect());
    println!("rejected: {known} of the known, {strange} of strangers");
    assert!(known < 0.15, "{known}");
    assert!(strange > 0.85, "{strange}");
}

/// The vendor that a class of IoT SENTINEL begins with.
const VENDORS: [&str; 6] = ["D-Link", "TP-Link", "WeMo", "Edimax", "Ednet", "Hue"];

/// The set-ups of IoT SENTINEL, labelled with class and vendor; a window is a whole capture.
fn setups() -> Option<Vec<Labeled>> {
    let folder = shared("sentinel")?;
    let mut rows = Vec::new();
    for line in fs::read_to_string(shared("labels/sentinel.csv")?).unwrap().lines().skip(1) {
        let [name, mac, class] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let device = DeviceId::Mac(mac.parse().unwrap());
        let family = VENDORS.iter().find(|vendor| class.starts_with(**vendor));
        let label =
            Label { family: family.map(|family| (*family).to_owned()), ..Label::new(class, Kind::Iot) };
        for capture in captures(&folder.join(name)) {
            let of_device = instances_of(&[capture]).into_iter().filter(|row| row.device == device);
            rows.extend(of_device.map(|instance| Labeled { instance, label: Some(label.clone()) }));
        }
    }
    Some(rows)
}

/// Each class of a vendor with several is left out in turn: its names should point to the vendor.
#[test]
fn names_point_to_the_vendor_of_a_sibling() {
    let Some(rows) = setups() else { return };
    let label = |row: &Labeled| row.label.clone().unwrap();
    let classes: std::collections::BTreeSet<String> = rows.iter().map(|row| label(row).class).collect();
    let (mut right, mut wrong, mut all) = (0, 0, 0);
    let (mut named_strangers, mut strangers) = (0, 0);
    for class in classes {
        let (left_out, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| label(row).class == class);
        let model = fit(&others);
        let family = label(left_out[0]).family;
        let is_sibling = others.iter().any(|row| family.is_some() && label(row).family == family);
        for row in left_out {
            let named = model.family_by_names(&[&row.instance]).map(|found| found.family.to_string());
            if is_sibling {
                all += 1;
                right += u32::from(named == family);
                wrong += u32::from(named.is_some() && named != family);
            } else {
                strangers += 1;
                named_strangers += u32::from(named.is_some());
            }
        }
    }
    println!(
        "siblings: {right} right, {wrong} wrong of {all}; strangers named: {named_strangers} of {strangers}"
    );
    assert!(f64::from(right) > 0.7 * f64::from(all), "{right} of {all}");
    assert!(named_strangers * 50 < strangers, "{named_strangers} of {strangers}");
    assert!(f64::from(wrong) < 0.02 * f64::from(all), "{wrong} of {all}");
}
