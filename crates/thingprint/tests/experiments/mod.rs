//! Experiments: results, what is skipped, and what is refused.

use std::fs;
use std::path::Path;

use crate::stage::Stage;

#[test]
fn an_experiment_writes_its_result_and_skips_data_that_are_not_there() {
    let stage = Stage::new();
    let definition = "name = 'small'\ntitle = 'A small one'\nplace = 'Table 2'\nasks = 'Is it?'\nfound = 'Yes.'\n\
                      misleads = 'By far.'\ndata = ['home', 'elsewhere']\nseeds = [1, 2]\n\
                      [analysis.scenarios]\nscenarios = ['ports', 'final']\nshow = ['classes', 'confusion']\n\
                      [[expect]]\nscenario = 'final'\nmetric = 'accuracy'\nlow = 0.5\n";
    let dataset = "description = 'd'\norigin = 'o'\nlicence = 'l'\nobtain = 'ask its owner'\nlabels = 'labels.csv'\n\
                   [[trace]]\ncaptures = ['.']\n";
    fs::write(stage.path("small.toml"), definition).unwrap();
    fs::create_dir_all(stage.path("datasets/elsewhere")).unwrap();
    fs::write(stage.path("datasets/elsewhere/dataset.toml"), dataset).unwrap();
    let run = stage.ok("experiment small.toml --days 1 --cache cache");
    assert!(run.stderr.contains("small is skipped on elsewhere"), "{}", run.stderr);
    assert!(run.stderr.contains("ask its owner") && run.stderr.contains("as expected"), "{}", run.stderr);
    let read = |name: &str| fs::read_to_string(stage.path(&format!("results/small/{name}"))).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&read("metrics.json")).unwrap();
    assert_eq!((&metrics["experiment"], &metrics["dataset"]), (&"small".into(), &"home".into()));
    assert!(metrics["scenarios"]["final"]["accuracy"]["mean"].as_f64().unwrap() > 0.5);
    assert!(
        read("report.md").contains("Simulated data") && read("report.md").contains("cut to a length of 1 d")
    );
    assert!(read("confusion.svg").starts_with("<svg"));
    let first = (read("report.html"), read("metrics.json"));
    stage.ok("experiment small.toml --days 1 --cache cache");
    assert_eq!(first, (read("report.html"), read("metrics.json")), "instances from the cache give the same");
    let refused = stage.run("experiment small.toml -o x.json");
    assert_eq!(refused.status, 2, "{}", refused.stderr);
    let left: Vec<_> =
        fs::read_dir(stage.path("results/small")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn an_experiment_that_cannot_do_what_is_asked_says_so() {
    let stage = Stage::new();
    let write = |name: &str, fields: &str, scenarios: &str| {
        let text = format!(
            "name = 'small'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\n{fields}\n\
             [analysis.scenarios]\nscenarios = {scenarios}\n"
        );
        fs::write(stage.path(name), text).unwrap();
    };
    write("small.toml", "data = ['elsewhere']\nseeds = [1]", "['ports']");
    write("again.toml", "data = ['elsewhere']\nseeds = [1]", "['ports']");
    write("colour.toml", "data = ['elsewhere']\nseeds = [1]\ncolour = 'red'", "['ports']");
    write("wrong.toml", "data = ['elsewhere']\nseeds = []", "['ports']");
    write("guess.toml", "data = ['elsewhere']\nseeds = [1]", "['guess']");
    fs::create_dir_all(stage.path("datasets/elsewhere")).unwrap();
    let dataset = "description = 'd'\norigin = 'o'\nlicence = 'l'\nobtain = 'ask its owner'\nlabels = 'labels.csv'\n\
                   [[trace]]\ncaptures = ['.']\n";
    fs::write(stage.path("datasets/elsewhere/dataset.toml"), dataset).unwrap();
    stage.fails("experiment", 2, &["--all", "FILE"]);
    stage.fails("experiment gone.toml", 1, &["failed to read gone.toml"]);
    stage.fails("experiment colour.toml", 1, &["colour.toml", "line 9", "unknown field `colour`"]);
    stage.fails("experiment wrong.toml", 1, &["wrong.toml: field 'seeds': expected at least one seed"]);
    assert_eq!(stage.run("experiment guess.toml").stderr.matches("TOML parse error").count(), 1);
    stage.fails("experiment guess.toml", 1, &["guess.toml", "line 10", "scenarios = ['guess']"]);
    stage.fails("experiment small.toml again.toml", 2, &["two definitions have the name 'small'"]);
    stage.fails("experiment small.toml --only nowhere", 2, &["runs on data set 'nowhere', but on elsewhere"]);
    stage.fails("experiment small.toml --data nowhere=.", 2, &["runs on data set 'nowhere'"]);
    stage.fails("experiment small.toml --data elsewhere=gone", 2, &["elsewhere=gone", "no such folder"]);
    stage.fails("experiment small.toml --cache cache", 1, &["ask its owner", "none of the captures is here"]);
    fs::write(stage.path("file"), "").unwrap();
    stage.fails(
        "experiment small.toml --results file/results",
        1,
        &["failed to write to folder file/results"],
    );
}

/// The public weeks of the paper's trace, as their description says: captures of days in a folder, labels from the
/// repository. The simulated testbed has the addresses of most of these devices.
#[test]
fn the_public_weeks_are_read_from_a_folder_of_days() {
    let stage = Stage::new();
    fs::create_dir(stage.path("captures")).unwrap();
    for (day, seed) in [("16-10-06", 1), ("16-10-07", 2)] {
        let start = format!("20{day}T08:00:00Z");
        stage.ok(&format!(
            "simulate --home unsw28 --start {start} --duration 3h --seed {seed} --snaplen 600 -o captures/{day}.pcap"
        ));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::create_dir_all(stage.path("datasets/unsw2016")).unwrap();
    for file in ["dataset.toml", "devices.csv"] {
        let file = format!("datasets/unsw2016/{file}");
        fs::copy(root.join(&file), stage.path(&file)).unwrap();
    }
    fs::copy(root.join("experiments/table3.toml"), stage.path("table3.toml")).unwrap();
    stage.ok("experiment table3.toml --data unsw2016=captures --only unsw2016 --cache cache");
    let text = fs::read_to_string(stage.path("results/table3-unsw2016/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&metrics["dataset"], &metrics["simulated"]), (&"unsw2016".into(), &false.into()));
    let final_scenario = metrics["scenarios"]["final"].as_object().unwrap();
    for class in ["Dropcam", "Netat. Weather", "NonIoT", "Smart Things"] {
        assert!(final_scenario.contains_key(&format!("correct[{class}]")), "{class}");
    }
    // Whatever else the captures hold has no label.
    let listed = fs::read_to_string(stage.path("datasets/unsw2016/devices.csv")).unwrap();
    let named = final_scenario.keys().filter_map(|key| key.strip_prefix("correct[")?.strip_suffix(']'));
    for class in named {
        assert!(listed.contains(&format!(",{class},")), "{class}");
    }
}

/// Windows under way come from one play of the simulation, and from the cache afterwards; costs are measured each time.
#[test]
fn windows_under_way_are_asked_about_and_extraction_is_measured() {
    let stage = Stage::new();
    let text = "name = 'early'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['home']\n\
                seeds = [1]\n[analysis.live-cost]\nseconds = [60, 1800]\nsplit = 'time=0.7'\nruns = 1\n\
                [[analysis.live-cost.group]]\nname = 'low'\nscenario = 'low'\n\
                [[analysis.live-cost.group]]\nname = 'paper'\n";
    fs::write(stage.path("early.toml"), text).unwrap();
    stage.ok("experiment early.toml --days 1 --cache cache");
    let read = |name: &str| fs::read_to_string(stage.path(&format!("results/early/{name}"))).unwrap();
    let json = read("metrics.json");
    let metrics: serde_json::Value = serde_json::from_str(&json).unwrap();
    let number =
        |scenario: &str, metric: &str| metrics["scenarios"][scenario][metric]["mean"].as_f64().unwrap();
    assert!(number("low/60s", "asked") > 20.0);
    assert!(number("low/60s", "answered") > 0.5 && number("low/60s", "answered") <= 1.0);
    assert!(number("low/1800s", "window_bytes") < number("paper/1800s", "window_bytes"));
    assert!(number("low/whole", "row_bytes") < number("paper/whole", "row_bytes"));
    let costs = read("extraction-costs.csv");
    let frames = |line: &str| line.split(',').nth(1).unwrap().parse::<u64>().unwrap();
    let lines: Vec<&str> = costs.lines().skip(1).collect();
    assert!(lines.len() == 2 && frames(lines[0]) > 1_000 && frames(lines[0]) == frames(lines[1]), "{costs}");
    stage.ok("experiment early.toml --days 1 --cache cache");
    assert_eq!(read("metrics.json"), json, "windows from the cache give the same");
}

/// What a library prints while it trains is none of the user's business; what it takes is.
#[cfg(unix)]
#[test]
fn back_ends_are_measured_and_do_not_flood_the_terminal() {
    let stage = Stage::new();
    let text = "name = 'costs'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = ['home']\n\
                seeds = [1]\n[analysis.scenarios]\nscenarios = ['final']\nshow = ['cost']\n\
                [[analysis.scenarios.variant]]\nname = 'linfa'\ntraining = { stage0 = 'linfa', trees = 10 }\n\
                [[analysis.scenarios.variant]]\nname = 'more'\ntraining = { trees = 200 }\n";
    fs::write(stage.path("costs.toml"), text).unwrap();
    let run = stage.ok("experiment costs.toml --days 1 --cache cache -v");
    assert!(!run.stderr.contains("multinomial_nb") && run.stderr.lines().count() < 12, "{}", run.stderr);
    for line in ["linfa/final, seed 1", "more/final, seed 1", "results/costs: done"] {
        assert!(run.stderr.contains(line), "{line}: {}", run.stderr);
    }
    let costs = fs::read_to_string(stage.path("results/costs/costs.csv")).unwrap();
    if !cfg!(feature = "count-memory") {
        assert!(
            costs.lines().skip(1).all(|line| line.ends_with(',')),
            "no memory without its feature: {costs}"
        );
        return;
    }
    let megabytes: Vec<f64> =
        costs.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
    let [linfa, more] = megabytes[..] else { unreachable!("two settings: {costs}") };
    assert!(linfa > 0.0 && linfa < more && more < 500.0, "{costs}");
}

/// A folder of captures of a simulated home, with its labels and a description as `datasets/mine`.
fn captured(stage: &Stage) {
    stage.ok("simulate --duration 12h --seed 1 -o captures/one.pcap --labels captures/labels.csv");
    let dataset = "description = 'd'\norigin = 'o'\nlicence = 'l'\nobtain = 'ask me'\nlabels = 'labels.csv'\n\
                   [[trace]]\ncaptures = ['.']\n";
    fs::create_dir_all(stage.path("datasets/mine")).unwrap();
    fs::write(stage.path("datasets/mine/dataset.toml"), dataset).unwrap();
}

fn define(stage: &Stage, file: &str, data: &str, rest: &str) {
    let name = file.trim_end_matches(".toml").rsplit('/').next().unwrap();
    let text = format!(
        "name = '{name}'\ntitle = 't'\nplace = 'p'\nasks = 'a'\nfound = 'f'\nmisleads = 'm'\ndata = {data}\n\
         seeds = [1]\n{rest}"
    );
    fs::write(stage.path(file), text).unwrap();
}

const FINAL: &str = "[analysis.scenarios]\nscenarios = ['final']\n";

#[test]
fn captures_of_one_s_own_are_an_experiment() {
    let stage = Stage::new();
    fs::create_dir(stage.path("captures")).unwrap();
    captured(&stage);
    let paper = format!("{FINAL}show = ['answers']\n[analysis.scenarios.paper.final]\nGhost = 90\n");
    define(&stage, "own.toml", "['mine', 'home']", &paper);
    let run = stage.ok("experiment own.toml --data mine=captures --only mine --cache cache -j 1");
    assert!(run.stderr.contains("own on mine: classes that are not in the data: Ghost"), "{}", run.stderr);
    assert!(!stage.path("results/own-home").exists(), "--only leaves the others out");
    let read = |name: &str| fs::read_to_string(stage.path(&format!("results/own/{name}"))).unwrap();
    let report = read("report.md");
    assert!(report.contains("Captured data") && report.contains("Read: 1 capture, "), "{report}");
    assert!(report.contains("Of the 1 classes that are compared with the paper, 1 are not"), "{report}");
    assert!(
        read("answers.csv").lines().count() > 10 && read("priors.csv").starts_with("class,trained on,prior")
    );
    let files = ["report.md", "report.html", "metrics.json", "environment.txt", "answers.csv"];
    let first = files.map(read);
    fs::create_dir(stage.path("results/own/.own.thingprint-Left01.part")).unwrap();
    stage.ok("experiment own.toml --data mine=captures --only mine --cache cache -j 2");
    assert_eq!(first, files.map(read), "the number of threads is nowhere in it");
    assert!(
        !stage.path("results/own/.own.thingprint-Left01.part").exists(),
        "left by a run that was interrupted"
    );
    fs::remove_file(stage.path("captures/labels.csv")).unwrap();
    let labels = ["no labels", "captures/labels.csv", "datasets/mine/labels.csv"];
    stage.fails("experiment own.toml --data mine=captures --only mine", 1, &labels);
}

#[test]
fn a_broken_capture_is_told_each_time() {
    let stage = Stage::new();
    fs::create_dir(stage.path("captures")).unwrap();
    captured(&stage);
    let whole = fs::read(stage.path("captures/one.pcap")).unwrap();
    fs::write(stage.path("captures/two.pcap"), &whole[..whole.len() - 7]).unwrap();
    define(&stage, "own.toml", "['mine']", FINAL);
    for time in ["first", "from the cache"] {
        let run = stage.run("experiment own.toml --data mine=captures --cache cache");
        assert_eq!(run.status, 4, "{time}: {}", run.stderr);
        assert!(run.stderr.contains("two.pcap"), "{time}: {}", run.stderr);
        let report = fs::read_to_string(stage.path("results/own/report.md")).unwrap();
        let told =
            report.lines().any(|line| line.contains("While the captures were read") && line.contains("two"));
        assert!(told && report.contains("Read: 2 captures"), "{time}: {report}");
    }
}

#[test]
fn attacks_are_not_played_into_captures() {
    let stage = Stage::new();
    fs::create_dir(stage.path("captures")).unwrap();
    captured(&stage);
    let attack = "[analysis.attacks]\n[[analysis.attacks.attack]]\nkind = 'tcp-syn'\nrate_pps = 1\ntarget = 'Plug'\n\
                  port = 80\nhours = 1\n";
    define(&stage, "attacked.toml", "['mine']", attack);
    let refused = ["attacks are simulated, and these are captures"];
    stage.fails("experiment attacked.toml --data mine=captures --cache cache", 1, &refused);
    assert!(!stage.path("results/attacked").exists());
}

#[test]
fn all_goes_on_after_a_failure_and_tells_it_at_the_end() {
    let stage = Stage::new();
    fs::create_dir(stage.path("experiments")).unwrap();
    define(&stage, "experiments/a-first.toml", "['nowhere']", FINAL);
    define(&stage, "experiments/b-second.toml", "['home']", FINAL);
    let run = stage.run("experiment --all --days 1 --cache cache");
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(run.stderr.contains("datasets/nowhere/dataset.toml"), "{}", run.stderr);
    let last = run.stderr.lines().last().unwrap();
    assert!(last.contains("1 of 2 runs failed: a-first on nowhere"), "{}", run.stderr);
    assert!(stage.path("results/b-second/report.md").exists());
}
