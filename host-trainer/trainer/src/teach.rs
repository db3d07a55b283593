//! Teachers: large networks that start from ImageNet's weights, learn the split's training patients
//! and then teach the small network. Nothing of them is in the shipped file.

pub mod efficientnet;
pub mod ensemble;
pub mod finetune;
mod pickle;
pub mod probe;
pub mod state_dict;
pub mod weights;
