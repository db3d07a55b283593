//! How a data folder is to be read: what the command line can say about it.

use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// The data, and how it is to be read.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// Folder or .npz file of labelled X-rays; without it, built-in drawings
    #[arg(id = "data", long = "data", value_name = "PATH")]
    pub path: Option<PathBuf>,
    #[command(flatten)]
    pub options: DataOptions,
}

/// What differs from a folder with NORMAL and PNEUMONIA in it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Data folders")]
pub struct DataOptions {
    /// What the class folders are called, or the values in the label column: pairs such as
    /// NORMAL=healthy,PNEUMONIA=viral,PNEUMONIA=bacterial. Others are left out and counted
    #[arg(long, value_name = "CLASS=NAME", value_delimiter = ',')]
    pub classes: Vec<ClassName>,
    /// CSV file with a line a picture, where labels are not the folders' names
    #[arg(long, value_name = "CSV", requires = "data")]
    pub labels: Option<PathBuf>,
    /// Its column with the pictures' names; image, filename, path and the like are found
    #[arg(long, value_name = "NAME")]
    pub image_column: Option<String>,
    /// Its column with the labels; label, class and target are found
    #[arg(long, value_name = "NAME", requires = "labels")]
    pub label_column: Option<String>,
    /// Its column with the patients; patient, patient_id and the like are found
    #[arg(long, value_name = "NAME")]
    pub patient_column: Option<String>,
    /// CSV file that names each picture's patient, where the files' names do not
    #[arg(long, value_name = "CSV", requires = "data")]
    pub patients: Option<PathBuf>,
    /// Learn although the same picture is labelled NORMAL in one place and PNEUMONIA in another
    #[arg(long)]
    pub allow_contradictions: bool,
    /// Go on although fewer than 20 pictures train or validate: to try the program, not to trust a model
    #[arg(long)]
    pub few_pictures: bool,
    /// Where prepared pictures are kept from a thousand on, so that they take no memory and the next run
    /// decodes none again; they are pictures of patients
    #[arg(long, value_name = "DIR", default_value = "runs/prepared")]
    pub prepared: PathBuf,
    /// Keep all pictures in memory, and none on disk
    #[arg(long)]
    pub in_memory: bool,
}

/// One name of a class: `NORMAL=healthy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassName {
    /// True for PNEUMONIA.
    pub positive: bool,
    /// A folder's name or a label's value; capitals do not matter.
    pub name: String,
}

impl FromStr for ClassName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected NORMAL=NAME or PNEUMONIA=NAME, got {text:?}");
        let (class, name) = text.split_once('=').ok_or_else(wrong)?;
        let positive = match class.trim().to_uppercase().as_str() {
            "NORMAL" => false,
            "PNEUMONIA" => true,
            _ => return Err(wrong()),
        };
        let name = name.trim();
        if name.is_empty() { Err(wrong()) } else { Ok(Self { positive, name: name.to_owned() }) }
    }
}
