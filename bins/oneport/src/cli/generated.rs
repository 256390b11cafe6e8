//! What is made of the command line's definition.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;

/// For which shell.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell that is to complete.
    pub shell: Shell,
}

impl CompletionsArgs {
    /// The script that makes the shell complete words for this program.
    pub fn script(self) -> Vec<u8> {
        let mut script = Vec::new();
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        script
    }
}

/// Where to.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// Write the pages of all commands there, instead of the one of the program to stdout.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}

impl ManArgs {
    /// The program's page, in roff.
    ///
    /// # Errors
    ///
    /// None: it is written to memory.
    pub fn page() -> io::Result<Vec<u8>> {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        Ok(page)
    }

    /// Writes the pages of the program and its commands into a folder.
    ///
    /// # Errors
    ///
    /// Where one cannot be written.
    pub fn write_all(dir: &Path) -> io::Result<()> {
        clap_mangen::generate_to(Cli::command(), dir)
    }
}
