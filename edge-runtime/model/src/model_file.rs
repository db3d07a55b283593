//! The model file: an ONNX graph with everything that must be known about it bound in.
//!
//! Loading checks all that can be checked without running the graph: that it parses, that the
//! metadata is complete, that graph and metadata are what the exporter sealed (a SHA-256 over
//! both), and that the graph's input and output have the one form that the engines take. The seal
//! finds damage and carelessness; it is no signature.

use edge_core::model::key;
use edge_core::packed::MAGIC;
use edge_core::{Metadata, MetadataError};
use prost::Message;
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::dimension;

/// Property that only Linux reads: share of the positive label among the pictures that the score was
/// fitted on, between 0 and 1. Files from before it lack it.
pub const FITTED_PREVALENCE: &str = "pneumoscope.calibration.prevalence";

/// Metadata that owns what it says.
pub type OwnedMetadata = Metadata<String, Vec<i8>>;

/// A model file that passed every check; nothing changes it afterwards, so that what its hash names
/// is what is computed.
///
/// ```
/// use edge_model::model_file::{ModelFile, ModelFileError};
///
/// let bytes = include_bytes!("../../../models/pneumonia/model.onnx");
/// let model = ModelFile::from_bytes(bytes)?;
/// println!("{} {}, SHA-256 {}", model.metadata().name, model.metadata().version, model.sha256());
/// assert_eq!(model.metadata().label_positive, "PNEUMONIA");
///
/// // One changed byte is found.
/// let mut damaged = bytes.to_vec();
/// damaged[bytes.len() / 2] ^= 1;
/// assert!(matches!(ModelFile::from_bytes(&damaged), Err(ModelFileError::Digest { .. })));
/// # Ok::<(), ModelFileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelFile {
    metadata: OwnedMetadata,
    fitted_prevalence: Option<f64>,
    sha256: String,
    length: usize,
    proto: pb::ModelProto,
}

impl ModelFile {
    /// Reads and checks a file; the error's text does not repeat the path.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        Self::from_bytes(&std::fs::read(path)?)
    }

    /// Checks the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        if bytes.starts_with(&MAGIC) {
            let what = "it is a packed one, for devices: give the ONNX model that it was made of".to_owned();
            return Err(ModelFileError::Parse { what });
        }
        if let Some(name) = other_format(bytes) {
            return Err(ModelFileError::Parse { what: format!("it is {name}") });
        }
        let proto =
            pb::ModelProto::decode(bytes).map_err(|e| ModelFileError::Parse { what: e.to_string() })?;
        let Some(graph) = &proto.graph else {
            return Err(ModelFileError::Parse { what: "it holds no graph".to_owned() });
        };
        let metadata = Metadata::from_props(|name| prop(&proto, name))?;
        check_keys(&proto)?;
        check_digest(&proto)?;
        check_inputs(graph, metadata.input_side)?;
        check_outputs(graph)?;
        check_weights(graph)?;
        let fitted_prevalence = prop(&proto, FITTED_PREVALENCE).map(prevalence).transpose()?;
        Ok(Self { metadata, fitted_prevalence, sha256: sha256_hex(bytes), length: bytes.len(), proto })
    }

    /// What the model says of itself.
    pub fn metadata(&self) -> &OwnedMetadata {
        &self.metadata
    }

    /// Share of the positive label among the pictures that the score was fitted on, between 0 and 1;
    /// none where the file is older than this figure.
    pub fn fitted_prevalence(&self) -> Option<f64> {
        self.fitted_prevalence
    }

    /// SHA-256 of the whole file, 64 hexadecimal digits: the name by which logs and reports call
    /// this model.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Bytes of the whole file.
    pub fn file_length(&self) -> usize {
        self.length
    }

    /// The whole file as it was read.
    pub fn proto(&self) -> &pb::ModelProto {
        &self.proto
    }

    /// The network, in ONNX's terms.
    pub fn graph(&self) -> &pb::GraphProto {
        // `from_bytes` is the only constructor and looked for it; nothing changes the fields
        // afterwards.
        self.proto.graph.as_ref().expect("checked by ModelFile::from_bytes")
    }

    /// The bytes of a file of the same network that says `metadata` of itself, sealed.
    ///
    /// # Errors
    /// The metadata contradict themselves.
    pub fn with_metadata(&self, metadata: &OwnedMetadata) -> Result<Vec<u8>, MetadataError> {
        metadata.check()?;
        let mut proto = self.proto.clone();
        proto.metadata_props.retain(|entry| entry.key == FITTED_PREVALENCE);
        metadata.write_props(|key, value| {
            let entry = pb::StringStringEntryProto { key: key.to_owned(), value: value.to_string() };
            proto.metadata_props.push(entry);
        });
        seal(&mut proto);
        Ok(proto.encode_to_vec())
    }

    /// Name of the 8-bit value that the head reads: what is dequantized before the global average.
    /// None in a graph of another form.
    pub fn features(&self) -> Option<&str> {
        let nodes = &self.graph().node;
        let pool = nodes.iter().find(|node| node.op_type == "GlobalAveragePool")?;
        let maker = nodes.iter().find(|node| node.output.first() == pool.input.first())?;
        if maker.op_type == "DequantizeLinear" { maker.input.first().map(String::as_str) } else { None }
    }
}

/// SHA-256 over graph and metadata, 64 hexadecimal digits: over the model's protobuf form without
/// the property [`key::DIGEST`] itself.
pub fn digest(proto: &pb::ModelProto) -> String {
    let mut unsealed = proto.clone();
    unsealed.metadata_props.retain(|entry| entry.key != key::DIGEST);
    sha256_hex(&unsealed.encode_to_vec())
}

/// Writes [`digest`] into the model's metadata: the exporter's last step before it writes the file.
pub fn seal(proto: &mut pb::ModelProto) {
    let value = digest(proto);
    proto.metadata_props.retain(|entry| entry.key != key::DIGEST);
    proto.metadata_props.push(pb::StringStringEntryProto { key: key::DIGEST.to_owned(), value });
}

/// SHA-256 of `bytes` as 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads [`FITTED_PREVALENCE`].
fn prevalence(text: &str) -> Result<f64, MetadataError> {
    let share = text.parse().ok().filter(|&share: &f64| share > 0.0 && share < 1.0);
    share.ok_or(MetadataError::Malformed { key: FITTED_PREVALENCE, expected: "a share between 0 and 1" })
}

/// The first metadata property of that name.
/// What a file is instead of an ONNX model, as far as its first bytes show it.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Some("a TensorFlow Lite model"),
        [0x89, b'H', b'D', b'F', ..] => Some("an HDF5 file, as Keras writes"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file, as PyTorch and Keras write"),
        _ => None,
    }
}

fn prop<'p>(proto: &'p pb::ModelProto, name: &str) -> Option<&'p str> {
    proto.metadata_props.iter().find(|entry| entry.key == name).map(|entry| entry.value.as_str())
}

/// A property that is there twice could be read differently by different programs.
fn check_keys(proto: &pb::ModelProto) -> Result<(), ModelFileError> {
    let mut keys: Vec<_> = proto.metadata_props.iter().map(|entry| &entry.key).collect();
    keys.sort();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ModelFileError::Duplicate { key: pair[0].clone() }),
        None => Ok(()),
    }
}

fn check_digest(proto: &pb::ModelProto) -> Result<(), ModelFileError> {
    let expected = prop(proto, key::DIGEST).ok_or(MetadataError::Missing { key: key::DIGEST })?;
    let got = digest(proto);
    if expected == got { Ok(()) } else { Err(ModelFileError::Digest { expected: expected.to_owned(), got }) }
}

fn check_inputs(graph: &pb::GraphProto, side: u16) -> Result<(), ModelFileError> {
    let shape = [1, 1, i64::from(side), i64::from(side)];
    match graph.input.as_slice() {
        [input] if has_type(input, DataType::Uint8, &shape) => Ok(()),
        inputs => Err(ModelFileError::Input { side, got: describe(inputs) }),
    }
}

fn check_outputs(graph: &pb::GraphProto) -> Result<(), ModelFileError> {
    let wrong = || ModelFileError::Output { got: describe(&graph.output) };
    let [output] = graph.output.as_slice() else { return Err(wrong()) };
    let computed = graph.node.iter().any(|node| node.output.contains(&output.name));
    if computed && has_type(output, DataType::Float, &[1, 1]) { Ok(()) } else { Err(wrong()) }
}

/// One file is the model: weights in other files would be outside the seal, and a path to read in a
/// file from outside.
fn check_weights(graph: &pb::GraphProto) -> Result<(), ModelFileError> {
    let external = |tensor: &&pb::TensorProto| {
        tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty()
    };
    let constants = graph.node.iter().flat_map(|node| &node.attribute).filter_map(|a| a.t.as_ref());
    match graph.initializer.iter().chain(constants).find(external) {
        Some(tensor) => Err(ModelFileError::External { tensor: tensor.name.clone() }),
        None => Ok(()),
    }
}

fn tensor_type(value: &pb::ValueInfoProto) -> Option<&pb::type_proto::Tensor> {
    let pb::type_proto::Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}

/// The dimensions; none for a symbolic or missing one.
fn dimensions(tensor: &pb::type_proto::Tensor) -> Vec<Option<i64>> {
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    dims.map(|dim| match dim.value {
        Some(dimension::Value::DimValue(size)) => Some(size),
        _ => None,
    })
    .collect()
}

fn has_type(value: &pb::ValueInfoProto, kind: DataType, shape: &[i64]) -> bool {
    tensor_type(value).is_some_and(|tensor| {
        tensor.elem_type == kind as i32
            && dimensions(tensor).iter().copied().eq(shape.iter().map(|&d| Some(d)))
    })
}

/// For messages: `image UINT8 [1, 1, 128, 128]`, several separated by commas.
fn describe(values: &[pb::ValueInfoProto]) -> String {
    let one = |value: &pb::ValueInfoProto| {
        let name = value.name.escape_debug();
        let Some(tensor) = tensor_type(value) else { return format!("`{name}` without a type") };
        let kind = DataType::try_from(tensor.elem_type).map_or("unknown type", |kind| kind.as_str_name());
        let dims: Vec<_> =
            dimensions(tensor).iter().map(|d| d.map_or("?".to_owned(), |d| d.to_string())).collect();
        format!("`{name}` {kind} [{}]", dims.join(", "))
    };
    if values.is_empty() { "none".to_owned() } else { values.iter().map(one).collect::<Vec<_>>().join(", ") }
}

/// Why a model file was refused. Only another file helps. What the text quotes from the file is
/// escaped: a message is one line of a log, and a control character could fake another or steer a
/// terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file itself.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// No ONNX model, or one without a graph.
    #[error("expected an ONNX model, but {what}; copy the file again or export it with host-trainer")]
    Parse {
        /// What is wrong with it.
        what: String,
    },
    /// The metadata are incomplete or contradict themselves.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Two programs could read it differently.
    #[error(
        "metadata `{}` is there more than once; export the model again with host-trainer",
        key.escape_debug()
    )]
    Duplicate {
        /// The property's name.
        key: String,
    },
    /// The [`digest`] is not the one that was sealed in.
    #[error(
        "graph or metadata were changed after export: sealed with SHA-256 {}, now {got}; \
         copy the file again or export it with host-trainer",
        expected.escape_debug()
    )]
    Digest {
        /// As sealed in: 64 hexadecimal digits from an exporter, any text from elsewhere.
        expected: String,
        /// As it is now, 64 hexadecimal digits.
        got: String,
    },
    /// The engines take one square picture of bytes.
    #[error(
        "expected one input UINT8 [1, 1, {side}, {side}] as its metadata says, got {got}; \
         export the model again with host-trainer"
    )]
    Input {
        /// The side in the metadata, in pixels.
        side: u16,
        /// Names, types and shapes of the inputs that it has.
        got: String,
    },
    /// The engines give one logit.
    #[error("expected one computed output FLOAT [1, 1], got {got}; export the model again with host-trainer")]
    Output {
        /// Names, types and shapes of the outputs that it has.
        got: String,
    },
    /// What lies in another file is not under the seal.
    #[error("weights of `{}` lie outside the file; export the model again as one file", tensor.escape_debug())]
    External {
        /// Name of the tensor.
        tensor: String,
    },
}
