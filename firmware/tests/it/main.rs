//! The integration tests of this package in one program. One module a subject.

mod boot;
mod bundle;
mod device;
mod model_faults;
mod signed;
mod simulated;
mod slots;
