//! The gate: answers the API server's `ImageReview` questions over mutual TLS.
//!
//! In the order of a request: [`server`] (connections), [`tls`] (who may ask), [`gate`] (one
//! HTTP request), [`review`] (the wire format; [`admission`] is `AdmissionReview`'s), [`judge`] (names, examination, the one judge; [`again`] spares the words
//! where the same is asked again), [`answering`],
//! [`words`] (the denial), [`record`] (what is kept). [`plain`] answers probes.
//!
//! Nothing here can say "allowed" but [`review::Answer::allowed`], which wants a spent permit.
//! Wherever something fails, times out, is full or panics, the answer is a denial.

pub mod access;
pub mod admission;
pub mod advisories;
mod again;
mod answering;
mod aside;
mod cases;
mod changes;
pub mod config;
pub mod config_file;
pub mod examiner;
pub mod flights;
pub mod gate;
mod http;
pub mod id;
pub mod impacts;
pub mod judge;
pub mod known;
pub mod live;
pub mod load;
pub mod log;
pub mod metrics;
pub mod notes;
pub mod plain;
pub mod pull_secrets;
pub mod question;
pub mod record;
pub mod reload;
pub mod reloads;
mod remembered;
pub mod review;
mod seats;
pub mod server;
pub mod start;
pub mod tags;
pub mod tls;
mod token;
pub mod trace;
pub mod turns;
mod wire;
pub mod words;
