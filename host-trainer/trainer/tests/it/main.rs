//! The integration tests of this package in one program: libtorch is linked once. One module a
//! subject.

mod beside;
mod data;
mod evaluate;
mod exact_form;
mod folders;
mod folds;
mod gate;
mod gate_command;
mod lists;
mod localization;
mod metrics;
mod metrics_judge;
mod prepared;
mod private;
mod recipe;
mod regularisation;
mod report;
mod same_patients;
mod support;
mod sweep;
mod teach;
mod training;
mod xrays;
