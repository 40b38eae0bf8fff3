//! The table of diagnostic codes: stable string, severity, Falco's class, and what it is about.
//!
//! One row a code, one paragraph a code in `docs/errors.md`, one golden case a code in `tests/diagnostics/`. A code is
//! never given to another fault later. Retired: E0402, W0611, W0612, W0615.

use super::Severity;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $falco:literal, $summary:literal;)*) => {
        /// What kind of fault a diagnostic reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $summary] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable string, such as `E0401`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much a fault of this kind weighs.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// The result class under which Falco's loader reports it, where it has one.
            pub fn falco_class(self) -> Option<&'static str> {
                let class = match self { $(Self::$name => $falco,)* };
                (class != "-").then_some(class)
            }

            /// What the code is about, in a few words.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }
        }
    };
}

codes! {
    YamlSyntax = "E0101", Error, "LOAD_ERR_YAML_PARSE", "the YAML does not parse";
    NotItems = "E0102", Error, "LOAD_ERR_YAML_VALIDATE", "a document is not a sequence of items";
    MissingKey = "E0103", Error, "LOAD_ERR_YAML_VALIDATE", "an item lacks a key or the key is empty";
    WrongType = "E0104", Error, "LOAD_ERR_YAML_VALIDATE", "a key holds the wrong kind of value";
    BadPriority = "E0105", Error, "LOAD_ERR_YAML_VALIDATE", "not a priority";
    BadOverride = "E0106", Error, "LOAD_ERR_YAML_VALIDATE", "an override that cannot be applied";
    BadVersion = "E0107", Error, "LOAD_ERR_YAML_VALIDATE", "not an engine version";
    NoBase = "E0201", Error, "LOAD_ERR_VALIDATE", "nothing of that name to change";
    EngineTooOld = "E0202", Error, "LOAD_ERR_VALIDATE", "the file asks for another engine version";
    BadException = "E0203", Error, "LOAD_ERR_VALIDATE", "an exception of the wrong shape";
    SourceChanged = "E0204", Error, "LOAD_ERR_VALIDATE", "a rule is defined again with another source";
    EmptyAppend = "E0205", Error, "LOAD_ERR_VALIDATE", "an append that appends nothing";
    UndefinedMacro = "E0206", Error, "LOAD_ERR_VALIDATE", "no macro of that name is visible here";
    MacroLoop = "E0207", Error, "LOAD_ERR_VALIDATE", "macros refer to each other in a circle";
    BadPlugin = "E0208", Error, "LOAD_ERR_VALIDATE", "a plugin requirement that cannot be read";
    NoWord = "E0209", Error, "LOAD_ERR_VALIDATE", "a key or an override that is no single word";
    PluginMissing = "E0210", Error, "LOAD_ERR_VALIDATE", "a plugin that the files ask for is not there";
    Syntax = "E0301", Error, "LOAD_ERR_COMPILE_CONDITION", "the condition does not parse";
    Unclosed = "E0302", Error, "LOAD_ERR_COMPILE_CONDITION", "a parenthesis or bracket is not closed";
    BadString = "E0303", Error, "LOAD_ERR_COMPILE_CONDITION", "a quoted text is not closed or has an unknown escape";
    TooDeep = "E0304", Error, "LOAD_ERR_COMPILE_CONDITION", "nested too deep";
    TooLong = "E0305", Error, "LOAD_ERR_COMPILE_CONDITION", "lists make a condition too long";
    UnknownField = "E0401", Error, "LOAD_ERR_COMPILE_CONDITION", "no such field";
    BadArgument = "E0403", Error, "LOAD_ERR_COMPILE_CONDITION", "a field argument that is missing, not allowed or unreadable";
    OperatorType = "E0404", Error, "LOAD_ERR_COMPILE_CONDITION", "an operator that the field's type does not have";
    BadValue = "E0405", Error, "LOAD_ERR_COMPILE_CONDITION", "a value that does not read as the field's type";
    UnknownEvent = "E0406", Error, "LOAD_ERR_COMPILE_CONDITION", "no such event";
    BadRegex = "E0408", Error, "LOAD_ERR_COMPILE_CONDITION", "a pattern that is not RE2's POSIX syntax or is too large";
    BadTransformer = "E0409", Error, "LOAD_ERR_COMPILE_CONDITION", "a transformer or a field in a place that it does not fit";
    WrongSource = "E0420", Error, "LOAD_ERR_COMPILE_CONDITION", "a field of another event source";
    BadOutput = "E0501", Error, "LOAD_ERR_COMPILE_OUTPUT", "the output text does not parse";
    OutputUnknownField = "E0502", Error, "LOAD_ERR_COMPILE_OUTPUT", "the output names a field that does not exist";
    OutputWrongSource = "E0520", Error, "LOAD_ERR_COMPILE_OUTPUT", "the output names a field of another event source";
    BadCase = "E0801", Error, "-", "a test case that cannot be read";
    CaseRule = "E0802", Error, "-", "a test case for a rule that is not there";
    UnknownKey = "W0601", Warning, "LOAD_UNKNOWN_KEY", "a key that no item of this kind has";
    UnknownItem = "W0602", Warning, "LOAD_UNKNOWN_ITEM", "an item of no known kind";
    Deprecated = "W0603", Warning, "LOAD_DEPRECATED_ITEM", "an old form that still works";
    UnusedMacro = "W0604", Warning, "LOAD_UNUSED_MACRO", "a macro that nothing uses";
    UnusedList = "W0605", Warning, "LOAD_UNUSED_LIST", "a list that nothing uses";
    UnknownSource = "W0606", Warning, "LOAD_UNKNOWN_SOURCE", "a rule for an event source that is not there";
    OddName = "W0607", Warning, "LOAD_INVALID_MACRO_NAME", "a list or macro name that conditions cannot use";
    ExceptionTwice = "W0608", Warning, "LOAD_EXCEPTION_NAME_NOT_UNIQUE", "two exceptions of one rule share a name";
    AppendNoValues = "W0609", Warning, "LOAD_APPEND_NO_VALUES", "an appended exception without values";
    NoEventType = "W0610", Warning, "LOAD_NO_EVTTYPE", "a rule that no event type limits";
    SkippedUnknown = "W0613", Warning, "LOAD_UNKNOWN_FILTER", "a rule skipped because it asked to be when something is unknown";
    LooksLikeField = "W0614", Warning, "LOAD_COMPILE_CONDITION", "a constant that looks like a field";
    UnsafeNaCheck = "W0616", Warning, "LOAD_UNSAFE_NA_CHECK", "an audit field compared with the text `<NA>`";
    SimplerOperator = "W0617", Warning, "LOAD_COMPILE_CONDITION", "a pattern that a simpler operator says as well";
    LooksLikeTransformer = "W0618", Warning, "LOAD_COMPILE_CONDITION", "a constant that looks like a transformer";
    NotUtf8 = "W0619", Warning, "-", "bytes that are no UTF-8";
    SomeHooks = "L0701", Lint, "-", "some events of the rule are fed by no hook yet";
    AppendPrecedence = "L0702", Lint, "-", "an appended `and` binds tighter than the `or` before it";
    FalcoDiffers = "L0703", Lint, "-", "Falco would judge this differently";
    ListInQuotes = "L0704", Lint, "-", "a list name inside a quoted text is replaced";
    ListItemShape = "L0705", Lint, "-", "a list item that does not stay one item";
    NestedList = "L0706", Lint, "-", "lists inside lists are replaced one level deep only";
    ComparedWithNa = "L0707", Lint, "-", "a comparison with the text `<NA>`";
    DuplicateKey = "L0708", Lint, "-", "a key given twice; the first counts";
    NeverTrue = "L0709", Lint, "-", "a rule that no event can satisfy";
    OverrideIgnored = "L0710", Lint, "-", "an `override` that changes nothing";
    OftenMissing = "L0711", Lint, "-", "a `!=` on a field that is often missing";
    ExceptionValueShape = "L0712", Lint, "-", "a value of an exception that does not stay one value";
    LateException = "L0713", Lint, "-", "an exception reads what is filled in later";
    BelowLeast = "L0714", Lint, "-", "a rule that is less urgent than what is loaded";
    Shadowed = "L0715", Lint, "-", "a rule that an earlier one hides where the first match answers";
    OpenAlone = "L0716", Lint, "-", "a rule about failed opens that names `open` alone";
    NoHook = "L0719", Lint, "-", "no hook feeds any event of the rule yet";
    FieldNotProvided = "L0720", Lint, "-", "a field that is known and never has a value here";
    OutputNotProvided = "L0721", Lint, "-", "the output prints a field that never has a value here";
    VariableNotSent = "L0722", Lint, "-", "what is asked of an environment is never seen";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
