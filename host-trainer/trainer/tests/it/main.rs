//! The integration tests of this package in one program: libtorch is linked once. One module a
//! subject.

mod data;
mod evaluate;
mod exact_form;
mod folders;
mod folds;
mod gate;
mod lists;
mod localization;
mod metrics;
mod metrics_judge;
mod prepared;
mod recipe;
mod regularisation;
mod report;
mod support;
mod same_patients;
mod sweep;
mod teach;
mod training;
mod xrays;
