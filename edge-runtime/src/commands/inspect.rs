//! `edge-runtime inspect`: a model's layers, their places in the arena, and its metadata, for both
//! forms of a model.

use crate::model::Refused;
use crate::outcome::Outcome;
use crate::report;
use crate::report::Output;
use anyhow::Result;
use edge_core::kernels::Shape;
use edge_core::packed::{self, ExecutionPlan, Packed};
use edge_model::aligned::AlignedBytes;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

const MAP_COLUMNS: usize = 64;

#[derive(Serialize)]
struct Inspection {
    form: &'static str,
    bytes: usize,
    packed_bytes: usize,
    arena_bytes: usize,
    macs: u64,
    weights: u64,
    model_sha256: String,
    layers: Vec<Layer>,
    model: BTreeMap<&'static str, String>,
    notice: &'static str,
}

#[derive(Serialize)]
struct Layer {
    name: String,
    operator: &'static str,
    input: [usize; 3],
    output: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    macs: u64,
    weights: u64,
    input_place: Range<usize>,
    output_place: Range<usize>,
    scratch_place: Range<usize>,
}

pub fn run(path: Option<&Path>, output: Output) -> Result<Outcome> {
    let (form, bytes, packed) = open(path)?;
    let plan = packed.plan()?;
    let inspection = inspect(form, (bytes, packed.bytes().len()), &plan)?;
    let map = arena_map(&inspection, &plan)?;
    report::answer(output, &inspection, |out| print(out, &inspection, &map))
}

/// A model of either form, packed: form, bytes of the file, model.
fn open(path: Option<&Path>) -> Result<(&'static str, usize, Packed<AlignedBytes>)> {
    let name = path.map_or("(built in)".to_owned(), |path| path.display().to_string());
    if let Some(path) = path {
        let bytes =
            std::fs::read(path).map_err(|why| Refused::new(&name, format!("cannot be read: {why}")))?;
        if bytes.starts_with(&packed::MAGIC) {
            let packed =
                Packed::new(AlignedBytes::copy_of(&bytes)).map_err(|why| Refused::new(&name, why))?;
            return Ok(("packed", bytes.len(), packed));
        }
    }
    let model: ModelFile = crate::model::load(path)?;
    let packed = pack(&model).map_err(|why| Refused::new(&name, why))?;
    Ok(("onnx", model.file_length(), packed))
}

fn sizes(shape: Shape) -> [usize; 3] {
    [shape.height, shape.width, shape.channels]
}

fn inspect(
    form: &'static str,
    (bytes, packed_bytes): (usize, usize),
    plan: &ExecutionPlan<'_>,
) -> Result<Inspection> {
    let mut layers = Vec::new();
    for number in 0..plan.layers() {
        let layer = plan.layer(number)?;
        let (x, y, window) = (plan.value(layer.input)?, plan.value(layer.output)?, plan.window(number)?);
        let weights = (plan.fan_in(number)? * y.shape.channels) as u64;
        layers.push(Layer {
            name: plan.name(layer.output)?.to_owned(),
            operator: layer.operator.name(),
            input: sizes(x.shape),
            output: sizes(y.shape),
            kernel: window.kernel,
            stride: window.stride,
            macs: weights * y.shape.positions() as u64,
            weights,
            input_place: x.range(),
            output_place: y.range(),
            scratch_place: layer.scratch,
        });
    }
    let mut model = BTreeMap::new();
    plan.metadata()?.write_props(|key, value| {
        model.insert(key, value.to_string());
    });
    let head = plan.head()?.weights.len() as u64;
    Ok(Inspection {
        form,
        bytes,
        packed_bytes,
        arena_bytes: plan.arena_bytes(),
        macs: layers.iter().map(|l| l.macs).sum::<u64>() + head,
        weights: layers.iter().map(|l| l.weights).sum::<u64>() + head,
        model_sha256: plan.onnx_sha256().iter().map(|b| format!("{b:02x}")).collect(),
        layers,
        model,
        notice: report::NOTICE,
    })
}

fn print(out: &mut impl Write, inspection: &Inspection, arena_map: &str) -> io::Result<()> {
    let size = |[h, w, c]: [usize; 3]| format!("{h} x {w} x {c}");
    let header = ["", "Layer", "Operator", "Input", "Output", "Kernel", "MACs", "Weights"];
    let mut table = report::table(header, [0, 6, 7]);
    for (number, layer) in inspection.layers.iter().enumerate() {
        let kernel = match layer.operator {
            "add" => String::new(),
            _ => format!("{}x{} /{}", layer.kernel[0], layer.kernel[1], layer.stride[0]),
        };
        table.add_row([
            number.to_string(),
            report::printable(&layer.name),
            layer.operator.to_owned(),
            size(layer.input),
            size(layer.output),
            kernel,
            layer.macs.to_string(),
            layer.weights.to_string(),
        ]);
    }
    writeln!(out, "{table}\n\n{arena_map}")?;
    let Inspection { form, bytes, packed_bytes, .. } = inspection;
    let mut words = vec![
        ("form", format!("{form}, {bytes} bytes ({packed_bytes} packed)")),
        ("arena", format!("{} bytes, preprocessing included", inspection.arena_bytes)),
        ("multiply-accumulates", inspection.macs.to_string()),
        ("weights", inspection.weights.to_string()),
        ("sha256", inspection.model_sha256.clone()),
    ];
    words.extend(report::readable(inspection.model.clone()));
    writeln!(out, "{}\n\n{}", report::pairs(words), report::NOTICE)
}

/// Who lies where in the arena, a line a layer: the picture of the plan.
fn arena_map(inspection: &Inspection, plan: &ExecutionPlan<'_>) -> Result<String> {
    let arena = inspection.arena_bytes.max(1);
    let column = |byte: usize| byte * MAP_COLUMNS / arena;
    let mut map = format!(
        "Arena of {arena} bytes, {} a column: i input, o output, b both, s scratch memory, - kept for later\n",
        arena.div_ceil(MAP_COLUMNS)
    );
    let layers = (0..plan.layers()).map(|n| plan.layer(n)).collect::<Result<Vec<_>, _>>()?;
    let last_use = |value: usize| {
        let reads = layers.iter().filter(|l| l.inputs().contains(&value));
        reads.map(|l| l.output).max().unwrap_or(usize::MAX)
    };
    for (number, layer) in layers.iter().enumerate() {
        let mut line = [' '; MAP_COLUMNS];
        let mut draw = |range: Range<usize>, mark: char| {
            if range.is_empty() {
                return;
            }
            let (from, to) = (column(range.start), column(range.end - 1));
            for slot in line.iter_mut().take(to + 1).skip(from) {
                *slot = if matches!((*slot, mark), ('i', 'o')) { 'b' } else { mark };
            }
        };
        for value in (0..=number).filter(|&v| last_use(v) > layer.output) {
            draw(plan.value(value)?.range(), '-');
        }
        for input in layer.inputs() {
            draw(plan.value(input)?.range(), 'i');
        }
        draw(plan.value(layer.output)?.range(), 'o');
        draw(layer.scratch.clone(), 's');
        let name = report::printable(plan.name(layer.output)?);
        let _ = writeln!(map, "{name:>14} |{}|", line.iter().collect::<String>());
    }
    Ok(map)
}
