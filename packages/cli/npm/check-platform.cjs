// npm runs this before it installs the package: on Windows the launcher, a shell script, would fail without a reason.
if (process.platform === 'win32') {
  process.stderr.write(
    'tbuild: On Windows, tbuild runs inside WSL: install it there, or run "wsl npx @tbuild/cli -t app ."\n',
  );
  process.exit(1);
}
