//! Instances come back as they were.

use std::convert::Infallible;

use thingprint_instance::{EvidenceSet, ExtractionRecipe, Instance, InstanceOptions};
use thingprint_pipeline::{Event, InstanceStage, Pipeline, Simulated};
use thingprint_sim::{Simulation, SimulationOptions, home};
use thingprint_store::{ExportOptions, StoreError};
use thingprint_watch::{Account, Records, Update, WindowRecord};

use crate::accounts::{Place, hour, window, windows};

/// The instances of the simulated home with all evidence, of six hours.
pub(crate) fn simulated(options: &InstanceOptions) -> Vec<Instance> {
    let play = SimulationOptions { duration_s: 6 * 3600, ..SimulationOptions::default() };
    let simulation = Simulation::new(&home().unwrap(), play).unwrap();
    let mut instances = Vec::new();
    let pipeline = Pipeline { flow: options.flow.clone(), ..Pipeline::default() };
    let stage = InstanceStage::new(options.clone());
    pipeline
        .run(&Simulated::from(simulation), &stage, |event| {
            if let Event::Rows(rows) = event {
                instances.extend(rows);
            }
            Ok::<_, Infallible>(())
        })
        .map(drop)
        .unwrap();
    instances.sort_by_key(|instance: &Instance| (instance.window_start, instance.device));
    instances
}

fn kept(instance: &Instance) -> Update {
    Update::Window(WindowRecord {
        device: instance.device,
        window_s: instance.window_s,
        instance: Some(Box::new(instance.clone())),
        ..window(0, instance.window_start)
    })
}

#[test]
fn instances_of_the_simulated_home_come_back_to_the_bit() {
    let options = InstanceOptions { evidence: EvidenceSet::all(), ..InstanceOptions::default() };
    let instances = simulated(&options);
    assert!(instances.len() > 30, "{}", instances.len());
    let place = Place::new();
    let mut store = place.store();
    let recipe = ExtractionRecipe::of(&options);
    store.set_recipe(&recipe).unwrap();
    store.write(&Account { updates: instances.iter().map(kept).collect(), final_until: None }).unwrap();
    drop(store);

    let reader = place.reader();
    let found = reader.instances(instances[0].device, usize::MAX).unwrap();
    assert_eq!(found.last().unwrap().instance.as_deref(), Some(&instances[0]));
    let mut exported = Vec::new();
    assert_eq!(reader.recipe().unwrap(), Some(recipe.clone()));
    let wanted = ExportOptions { recipe: Some(recipe), ..ExportOptions::default() };
    let counts = reader
        .export(&wanted, &mut |rows| {
            exported.extend(rows);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(counts.written, instances.len() as u64);
    assert_eq!(exported, instances);
    // Equal is not enough: -0 equals 0.
    let bits = |instance: &Instance| -> Vec<u64> {
        let spreads =
            instance.spread.values().flat_map(|spread| [spread.sum, spread.sd, spread.min, spread.max]);
        let numbers = EvidenceSet::all().numbers().filter_map(|name| instance.attributes.get(name));
        spreads.chain(numbers).map(f64::to_bits).collect()
    };
    assert!(exported.iter().map(bits).eq(instances.iter().map(bits)));
    assert_eq!(reader.check().unwrap(), [""; 0]);
}

#[test]
fn an_export_says_what_it_leaves_out() {
    let place = Place::new();
    let mut store = place.store();
    let (old, new): (ExtractionRecipe, ExtractionRecipe) =
        ("window=15m".parse().unwrap(), "default".parse().unwrap());
    store.set_recipe(&old).unwrap();
    store.write(&Account { updates: vec![Update::Window(window(1, hour(0)))], final_until: None }).unwrap();
    store.set_recipe(&new).unwrap();
    let cut = WindowRecord { is_cut: true, ..window(1, hour(1)) };
    let bare = WindowRecord { instance: None, ..window(1, hour(2)) };
    let late = window(1, hour(48));
    let updates = [cut, bare, window(1, hour(3)), late].map(Update::Window).to_vec();
    store.write(&Account { updates, final_until: None }).unwrap();

    let export = |options: ExportOptions| {
        let mut starts = Vec::new();
        let counts = place.reader().export(&options, &mut |rows| {
            starts.extend(rows.iter().map(|row| row.window_start));
            Ok::<_, StoreError>(())
        });
        (starts, counts.unwrap())
    };
    let options = ExportOptions { recipe: Some(new), to: Some(hour(24)), ..ExportOptions::default() };
    let (starts, counts) = export(options.clone());
    assert_eq!(starts, [hour(3)]);
    assert_eq!((counts.cut, counts.other_recipe, counts.without_instance, counts.written), (1, 1, 1, 1));
    let (starts, counts) = export(ExportOptions { with_cut: true, ..options });
    assert_eq!(starts, [hour(1), hour(3)]);
    assert_eq!(counts.cut, 0);
}

#[test]
fn windows_that_go_while_they_are_exported_are_counted() {
    let place = Place::new();
    let mut store = place.store();
    for hours in 0..10 {
        store.write(&windows(103, hours)).unwrap();
    }
    let mut given = 0;
    let exported = place.reader().export(&ExportOptions::default(), &mut |rows| {
        given += rows.len() as u64;
        store.prune(hour(100)).map(drop)
    });
    let counts = exported.unwrap();
    assert_eq!((counts.written, counts.pruned, counts.unreadable), (given, 1030 - given, 0));
    assert!(given < 1030, "{given}");
}
