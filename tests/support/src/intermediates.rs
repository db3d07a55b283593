//! Every node's result of a graph in tract, not only its logit: for comparing engines.

use edge_model::engine::{Convolutions, EngineError};
use edge_model::infer_tract::{Operators, TractPlan};
use edge_model::model_file::ModelFile;
use tract_onnx::pb;
use tract_onnx::prelude::{DatumType, TValue};

/// A graph whose every intermediate result is an output.
pub struct TractIntermediates {
    names: Vec<String>,
    plan: TractPlan,
}

impl TractIntermediates {
    pub fn load(operators: Operators, model: &ModelFile) -> Result<Self, EngineError> {
        Self::of_graph(operators, model.proto(), model.metadata().input_side)
    }

    /// The same of a graph that need not be a whole model file; `side` is that of its input, in
    /// pixels.
    pub fn of_graph(operators: Operators, proto: &pb::ModelProto, side: u16) -> Result<Self, EngineError> {
        let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
        let names: Vec<String> = nodes.flat_map(|node| node.output.iter().cloned()).collect();
        let plan = TractPlan::new(operators, proto, side, &names)?;
        Ok(Self { names, plan })
    }

    /// Computes every node's result, in the graph's order.
    pub fn run(&mut self, input: &[u8]) -> Result<Vec<Intermediate>, EngineError> {
        let outputs = self.plan.run(input)?;
        let named = self.names.iter().zip(&outputs);
        let all = named.map(|(name, tensor)| Intermediate {
            name: name.clone(),
            shape: tensor.shape().to_vec(),
            values: values(tensor),
        });
        Ok(all.collect())
    }

    pub fn convolutions(&self) -> Option<&Convolutions> {
        self.plan.convolutions()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Intermediate {
    /// The value's name in the ONNX graph.
    pub name: String,
    /// Its shape, batch first, then channels.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    U8(Vec<u8>),
    I8(Vec<i8>),
    I32(Vec<i32>),
    F32(Vec<f32>),
}

/// A tensor's elements; quantized types as the integers that they are stored as.
fn values(tensor: &TValue) -> Values {
    let plain = tensor.try_as_plain_ram().unwrap();
    match tensor.datum_type().unquantized() {
        DatumType::U8 => Values::U8(plain.as_slice().unwrap().to_vec()),
        DatumType::I8 => Values::I8(plain.as_slice().unwrap().to_vec()),
        DatumType::I32 => Values::I32(plain.as_slice().unwrap().to_vec()),
        DatumType::F32 => Values::F32(plain.as_slice().unwrap().to_vec()),
        other => panic!("unexpected element type {other:?}"),
    }
}
