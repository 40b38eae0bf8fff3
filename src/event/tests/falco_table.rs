//! Our table of fields against Falco's, when the reference files lie beside the checkout (`../shared`, or the folder that
//! `EYAS_SHARED` names): every name there is here, with the same type, argument and flags.
#![expect(clippy::print_stderr, reason = "tests")]

use std::path::PathBuf;

use eyas_event::{ArgKind, FieldId, FieldType, Shape};

fn table() -> Option<String> {
    let folder = std::env::var_os("EYAS_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("falco/fields.tsv");
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: no reference file at {}", path.display());
    }
    text
}

fn types(word: &str) -> &'static [FieldType] {
    match word {
        "CHARBUF" | "STRING" => &[FieldType::Text, FieldType::Path],
        "BYTEBUF" => &[FieldType::Bytes],
        "PORT" => &[FieldType::Port],
        "IPADDR" => &[FieldType::Ip],
        "IPNET" => &[FieldType::Net],
        "ABSTIME" => &[FieldType::Time],
        "RELTIME" => &[FieldType::Span],
        "BOOL" => &[FieldType::Bool],
        "DOUBLE" => &[FieldType::Double],
        // The type is that of the parameter.
        "DYNAMIC" => &[FieldType::Text],
        word if word.starts_with("UINT") => &[FieldType::Uint],
        word if word.starts_with("INT") => &[FieldType::Int],
        _ => &[],
    }
}

fn argument(words: &str) -> Option<ArgKind> {
    Some(match words {
        "none" => ArgKind::None,
        "optional:[index]" | "optional:[fd]" => ArgKind::OptionalIndex,
        "required:[index]" => ArgKind::Index,
        "required:[key]" => ArgKind::Key,
        "required:[index|key]" => ArgKind::IndexOrKey,
        "required:.name|[index]" => ArgKind::Param,
        "required:.name" => ArgKind::ParamName,
        "required:.controller" => ArgKind::Word,
        "required:.eventname" => ArgKind::Event,
        "optional-suffix:.src|.dst" => ArgKind::OptionalSide,
        "optional:[NAME]" => ArgKind::OptionalKey,
        "optional:[n]|[NAME]" => ArgKind::OptionalIndexOrKey,
        "required:[epoch_ns]" => ArgKind::Instant,
        _ => return None,
    })
}

#[test]
fn every_field_of_falco_is_here_with_its_type_argument_and_flags() {
    let Some(text) = table() else { return };
    let mut rows = 0;
    for line in text.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let (name, ty, arg, flags) = (columns[0], columns[1], columns[2], columns[11]);
        // The names behind the point are the configuration's.
        let (name, arg) = if name == "static.*" { ("static", "required:.controller") } else { (name, arg) };
        let row = FieldId::from_name(name).unwrap_or_else(|| panic!("no field {name}")).info();
        assert!(types(ty.trim_end_matches("[]")).contains(&row.ty), "{name}: {ty}, not {:?}", row.ty);
        assert_eq!(ty.ends_with("[]"), row.shape == Shape::List, "{name}");
        assert_eq!(Some(row.arg), argument(arg), "{name}");
        let ours: Vec<_> = row.flags.words().collect();
        let mut theirs: Vec<_> = flags.split(',').filter(|flag| !matches!(*flag, "-" | "list")).collect();
        theirs.sort_unstable();
        let mut sorted = ours;
        sorted.sort_unstable();
        assert_eq!(sorted, theirs, "{name}");
        rows += 1;
    }
    assert_eq!(rows, 631);
    let ours = FieldId::all().filter(|id| id.info().is_ours()).count();
    assert_eq!(FieldId::all().count(), rows + ours);
}
