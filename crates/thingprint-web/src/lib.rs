//! A [`Web`] serves the page and the JSON of a live reading to browsers and programs.
//!
//! It shows what a [`Backend`] gives and passes on what people ask for. All of it runs in threads of its own:
//! [`Web::publish`] never waits, whatever clients do. Text from the network is escaped in one place (`html.rs`), no
//! script but the page's own can run, and only requests that name a trusted host are answered.

mod address;
mod api;
mod asset;
mod backend;
mod connection;
mod cookie;
mod device_list;
mod error;
mod form;
mod guard;
mod html;
mod options;
mod origin;
mod pages;
mod problem;
mod routes;
mod site;
mod stream;
mod time;
mod timeline;
mod training;
mod update;
mod views;
mod web;
mod why;

pub use backend::Backend;
pub use error::WebError;
pub use options::{WebLimits, WebOptions, random_token};
pub use web::Web;
pub use why::{Why, WhyBag, WhyDecisive, WhyInput, WhyJoint, WhyNats, WhyValue, WhyWord};
