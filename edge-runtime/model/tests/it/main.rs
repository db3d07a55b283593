//! The integration tests of this package in one program: tract is linked once. One module a
//! subject.

mod allocations;
mod bad_models;
mod bad_pictures;
mod codecs;
mod decode;
mod dicom;
mod dicom_values;
mod engine;
mod gate;
mod narrow;
mod pack;
mod prevalence;
mod qlinearconv;
mod self_test;
mod signed;
