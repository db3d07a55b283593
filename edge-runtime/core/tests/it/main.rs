//! The integration tests of this package in one program, but for `kernels.rs`: a kernel set that
//! this processor lacks is to show as ignored, which only a harness of our own can say.

mod agree;
mod damage;
mod decide;
mod device;
mod gate;
mod metadata;
mod packed;
mod pipeline;
mod player;
mod preprocess;
mod settle;
mod signal;
mod worklist;
mod worklist_history;
