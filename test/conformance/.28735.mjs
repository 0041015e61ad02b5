var __knownSymbol = (name, symbol) => (symbol = Symbol[name]) ? symbol : /* @__PURE__ */ Symbol.for("Symbol." + name);
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __using = (stack, value, async) => {
  if (value != null) {
    if (typeof value !== "object" && typeof value !== "function") __typeError("Object expected");
    var dispose, inner;
    if (async) dispose = value[__knownSymbol("asyncDispose")];
    if (dispose === void 0) {
      dispose = value[__knownSymbol("dispose")];
      if (async) inner = dispose;
    }
    if (typeof dispose !== "function") __typeError("Object not disposable");
    if (inner) dispose = function() {
      try {
        inner.call(this);
      } catch (e) {
        return Promise.reject(e);
      }
    };
    stack.push([async, dispose, value]);
  } else if (async) {
    stack.push([async]);
  }
  return value;
};
var __callDispose = (stack, error, hasError) => {
  var E = typeof SuppressedError === "function" ? SuppressedError : function(e, s, m, _) {
    return _ = Error(m), _.name = "SuppressedError", _.error = e, _.suppressed = s, _;
  };
  var fail = (e) => error = hasError ? new E(e, error, "An error was suppressed during disposal") : (hasError = true, e);
  var next = (it) => {
    while (it = stack.pop()) {
      try {
        var result = it[1] && it[1].call(it[2]);
        if (it[0]) return Promise.resolve(result).then(next, (e) => (fail(e), next()));
      } catch (e) {
        fail(e);
      }
    }
    if (hasError) throw error;
  };
  return next();
};

// test/conformance/record.ts
import { mkdtempSync as mkdtempSync2, rmSync, writeFileSync } from "node:fs";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join7 } from "node:path";

// test/support/base-images.ts
import { execFileSync } from "node:child_process";
import { join as join4 } from "node:path";

// test/support/run-process.ts
import { spawn } from "node:child_process";
import { homedir } from "node:os";
var signalNumbers = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
function runProcess(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? "/",
      env: { ...minimalEnvironment(), ...options.env },
      stdio: ["pipe", "pipe", "pipe"]
    });
    const output = { stdout: [], stderr: [] };
    child.stdout.on("data", (chunk) => output.stdout.push(chunk));
    child.stderr.on("data", (chunk) => output.stderr.push(chunk));
    child.stdin.on("error", () => void 0);
    child.stdin.end(options.input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({
        exitCode: code ?? 128 + (signalNumbers[signal ?? ""] ?? 0),
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString()
      });
    });
    options.onStart?.(child);
  });
}
async function runChecked(program, args, options = {}) {
  const { exitCode, stdout, stderr } = await runProcess(program, args, options);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")} exited with ${exitCode}
${stdout}
${stderr}`);
  return stdout;
}
function minimalEnvironment() {
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH: `${path}:${process.env["PATH"] ?? ""}`, HOME: homedir(), LANG: "C.UTF-8" };
}

// test/support/services.ts
import { createServer, request } from "node:http";

// test/support/docker.ts
import { join as join3 } from "node:path";

// test/support/daemon.ts
import { spawn as spawn2 } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

// test/support/requirements.ts
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
var isRoot = process.getuid?.() === 0;
function hasProgram(name) {
  return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
var canRunDocker = isRoot && hasProgram("dockerd") && hasProgram("docker");
var canRunPodman = isRoot && hasProgram("podman");
var canRunRegistry = hasProgram("docker-registry");
var canSwitchUser = isRoot && hasProgram("setpriv");

// test/support/daemon.ts
async function startDaemon(options) {
  const dieWithParent = hasProgram("setpriv") ? ["setpriv", "--pdeathsig", "TERM"] : [];
  const [program, ...args] = [...dieWithParent, options.program, ...options.args];
  const child = spawn2(program, args, {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    // A keyboard interrupt of the test run must not reach the daemon before its clients are gone.
    detached: true
  });
  const log = createWriteStream(options.logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  await waitUntilReady(child, options);
  return { [Symbol.asyncDispose]: () => stop(child) };
}
async function waitUntilReady(child, options) {
  const deadline = Date.now() + 6e4;
  while (!await options.isReady()) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`${options.program} did not start:
${readFileSync(options.logFile, "utf8")}`);
    }
    await sleep(20);
  }
}
async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 15e3);
  await closed;
  clearTimeout(killer);
}

// test/support/scratch.ts
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as join2 } from "node:path";
var runDirectoryVariable = "TBUILD_TEST_RUN";
function scratchDirectory(purpose) {
  const directory = mkdtempSync(join2(process.env[runDirectoryVariable] ?? tmpdir(), `tbuild-${purpose}-`));
  chmodSync(directory, 493);
  return directory;
}

// test/support/docker.ts
async function startDocker(directory = scratchDirectory("docker")) {
  const host = `unix://${join3(directory, "docker.sock")}`;
  const options = ["--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"];
  const state = ["--data-root", join3(directory, "data"), "--exec-root", join3(directory, "exec")];
  const places = ["--host", host, "--pidfile", join3(directory, "pid"), ...state];
  const daemon = await startDaemon({
    program: "unshare",
    args: ["--mount", "--propagation", "private", "dockerd", "--storage-driver", "overlay2", ...places, ...options],
    logFile: join3(directory, "log"),
    isReady: async () => (await runProcess("docker", ["--host", host, "version"])).exitCode === 0
  });
  return { host, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}
function docker(host, args, options = {}) {
  return runChecked("docker", args, { ...options, env: { DOCKER_HOST: host, ...options.env } });
}

// test/support/services.ts
var socketVariable = "TBUILD_TEST_SERVICES";
function sharedService(name) {
  const socketPath = process.env[socketVariable];
  if (socketPath === void 0) throw new Error("Shared services need test/support/global-setup.ts in the vitest configuration");
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/${name}` }, async (response) => {
      let body = "";
      for await (const chunk of response.setEncoding("utf8")) body += chunk;
      if (response.statusCode === 200) resolve(body);
      else reject(new Error(body));
    }).on("error", reject).end();
  });
}

// test/support/base-images.ts
var script = join4(import.meta.dirname, "../../fixtures/images/make.sh");
var layouts = /* @__PURE__ */ new Map();
function baseImage(name) {
  const known = layouts.get(name);
  if (known !== void 0) return known;
  const directory = execFileSync(script, [name], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  layouts.set(name, directory);
  return directory;
}
async function loadBaseImage(name, host) {
  const daemon = host ?? await sharedService("docker");
  const target = ["--dest-daemon-host", daemon, `docker-daemon:${name}:latest`];
  await runChecked("skopeo", ["copy", "--quiet", `oci:${baseImage(name)}:latest`, ...target]);
}

// test/support/layout.ts
import { existsSync, readFileSync as readFileSync2 } from "node:fs";
import { join as join5 } from "node:path";
import { gunzipSync } from "node:zlib";
function imagesOf(layout) {
  if (!existsSync(join5(layout, "oci-layout"))) throw new Error(`${layout} is not an OCI layout`);
  return JSON.parse(readFileSync2(join5(layout, "index.json"), "utf8")).manifests.flatMap(
    (root) => imagesBelow(layout, root)
  );
}
function readBlob(layout, descriptor) {
  return readFileSync2(join5(layout, "blobs", descriptor.digest.replace(":", "/")));
}
function readLayer(layout, layer) {
  const blob = readBlob(layout, layer);
  return blob[0] === 31 && blob[1] === 139 ? gunzipSync(blob) : blob;
}
function imagesBelow(layout, descriptor) {
  const document = JSON.parse(readBlob(layout, descriptor).toString());
  if (Array.isArray(document.manifests)) {
    return document.manifests.flatMap((child) => imagesBelow(layout, child));
  }
  const config = JSON.parse(readBlob(layout, document.config).toString());
  return [{ layout, manifest: document, manifestDescriptor: descriptor, config }];
}

// test/conformance/case.ts
import { execFileSync as execFileSync2 } from "node:child_process";
import { existsSync as existsSync2, readdirSync, readFileSync as readFileSync3 } from "node:fs";
import { join as join6 } from "node:path";
var casesRoot = join6(import.meta.dirname, "cases");
var fixtures = join6(import.meta.dirname, "../../fixtures/contexts");
function listCases(root = casesRoot) {
  return readdirSync(root).flatMap((theme) => {
    const entries = readdirSync(join6(root, theme), { withFileTypes: true });
    const names = entries.map((entry) => entry.isDirectory() ? entry.name : caseNameOf(entry.name));
    return [...new Set(names)].flatMap((name) => name === void 0 ? [] : readCase(root, `${theme}/${name}`));
  });
}
function prepareContext({ directory }) {
  const copy = join6(scratchDirectory("case"), "context");
  execFileSync2("cp", ["-R", "--preserve=mode,links", directory, copy]);
  execFileSync2("chmod", ["-R", "u=rwX,go=rX", copy]);
  const script2 = `${directory}.prepare.sh`;
  if (existsSync2(script2)) execFileSync2("sh", ["-eu", script2], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
  return copy;
}
function caseNameOf(file) {
  return /^(.*)\.case\.json$/.exec(file)?.[1];
}
function readCase(root, name) {
  const place2 = join6(root, name);
  const file = `${place2}.case.json`;
  const own = existsSync2(file) ? JSON.parse(readFileSync3(file, "utf8")) : {};
  const directory = own.fixture === void 0 ? place2 : join6(fixtures, own.fixture);
  const { args = [], images = ["busybox"], anyContent = [] } = own;
  return { name, directory, golden: `${place2}.golden.json`, args, images, anyContent };
}

// test/support/tree.ts
import { createHash } from "node:crypto";
import { posix } from "node:path";

// test/support/tar-archive.ts
var attributePrefix = "SCHILY.xattr.";
function* readTar(archive) {
  let pending = { records: /* @__PURE__ */ new Map() };
  for (let offset = 0; offset + 512 <= archive.length; ) {
    const header = archive.subarray(offset, offset + 512);
    if (header[0] === 0) return;
    checkHeader(header, offset);
    const type = String.fromCharCode(header[156] || 48);
    const records = pending.records;
    const size = Number(records.get("size")?.toString() ?? number(header, 124, 12));
    const data = archive.subarray(offset + 512, offset + 512 + size);
    offset += 512 + Math.ceil(size / 512) * 512;
    if (type === "x") pending = { ...pending, records: paxRecords(data) };
    else if (type === "L") pending = { ...pending, name: text(data, 0, size) };
    else if (type === "K") pending = { ...pending, linkName: text(data, 0, size) };
    else if (type !== "g") {
      yield member(header, { type, size, data }, pending);
      pending = { records: /* @__PURE__ */ new Map() };
    }
  }
}
function member(header, body, pending) {
  const { records } = pending;
  const record2 = (key) => records.get(key)?.toString();
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header, 345, 155) : "";
  const shortName = (prefix === "" ? "" : `${prefix}/`) + text(header, 0, 100);
  const attributes = [...records].filter(([key]) => key.startsWith(attributePrefix));
  return {
    ...body,
    name: record2("path") ?? pending.name ?? shortName,
    mode: number(header, 100, 8),
    uid: Number(record2("uid") ?? number(header, 108, 8)),
    gid: Number(record2("gid") ?? number(header, 116, 8)),
    mtime: Number(record2("mtime") ?? number(header, 136, 12)),
    linkName: record2("linkpath") ?? pending.linkName ?? text(header, 157, 100),
    device: `${number(header, 329, 8)}:${number(header, 337, 8)}`,
    attributes: new Map(attributes.map(([key, value]) => [key.slice(attributePrefix.length), value]))
  };
}
function checkHeader(header, offset) {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (sum !== number(header, 148, 8)) throw new Error(`Tar header at ${offset} has a wrong checksum`);
}
function paxRecords(data) {
  const records = /* @__PURE__ */ new Map();
  for (let offset = 0; offset < data.length; ) {
    const space = data.indexOf(32, offset);
    const end = offset + Number(data.toString("latin1", offset, space));
    const equals = data.indexOf(61, space);
    records.set(data.toString("utf8", space + 1, equals), data.subarray(equals + 1, end - 1));
    offset = end;
  }
  return records;
}
function text(buffer, start, length) {
  const field = buffer.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}
function number(buffer, start, length) {
  const field = buffer.subarray(start, start + length);
  if ((field[0] & 128) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  return Number.parseInt(field.toString("latin1").replace(/[\0 ]+$/, "").trim() || "0", 8);
}

// test/support/tree.ts
var types = {
  "0": "file",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo"
};
function treeOfLayers(layers) {
  const inodes = /* @__PURE__ */ new Map();
  for (const layer of layers) applyLayer(inodes, layer);
  const find = (path) => {
    const inode = inodes.get(path);
    if (inode === void 0) throw new Error(`The image has no ${path}`);
    return inode;
  };
  return {
    entries: entriesOf(inodes),
    readText: (path) => find(path).data.toString(),
    mtime: (path) => find(path).mtime
  };
}
function applyLayer(inodes, layer) {
  const own = /* @__PURE__ */ new Set();
  for (const member2 of readTar(layer)) {
    const path = posix.join("/", member2.name).replace(/(.)\/$/, "$1");
    const name = posix.basename(path);
    const parent = posix.dirname(path);
    if (name === ".wh..wh..opq") {
      removeBelow(inodes, parent, own);
    } else if (name.startsWith(".wh.")) {
      const hidden = posix.join(parent, name.slice(".wh.".length));
      inodes.delete(hidden);
      removeBelow(inodes, hidden, own);
    } else if (path !== "/") {
      place(inodes, path, member2);
      own.add(path);
    }
  }
}
function place(inodes, path, member2) {
  const inode = member2.type === "1" ? linkedInode(inodes, member2) : inodeOf(member2);
  const before = inodes.get(path);
  if (before?.entry.type === "directory" && inode.entry.type !== "directory") removeBelow(inodes, path, /* @__PURE__ */ new Set());
  inodes.set(path, inode);
}
function linkedInode(inodes, member2) {
  const target = posix.join("/", member2.linkName);
  const inode = inodes.get(target);
  if (inode === void 0) throw new Error(`Hard link ${member2.name} leads to ${target}, which is not there`);
  return inode;
}
function inodeOf(member2) {
  const type = types[member2.type];
  if (type === void 0) throw new Error(`Tar member ${member2.name} has the unknown type ${member2.type}`);
  const capability = member2.attributes.get("security.capability")?.toString("hex");
  const sha256 = () => createHash("sha256").update(member2.data).digest("hex");
  const entry = {
    type,
    mode: type === "symlink" ? "0777" : (member2.mode & 4095).toString(8).padStart(4, "0"),
    uid: member2.uid,
    gid: member2.gid,
    ...type === "file" && { size: member2.size, sha256: sha256() },
    ...type === "symlink" && { target: member2.linkName },
    ...(type === "character" || type === "block") && { device: member2.device },
    ...capability !== void 0 && { capability }
  };
  return { entry, mtime: member2.mtime, data: member2.data };
}
function removeBelow(inodes, directory, except) {
  const prefix = directory === "/" ? "/" : `${directory}/`;
  for (const path of inodes.keys()) {
    if (path.startsWith(prefix) && !except.has(path)) inodes.delete(path);
  }
}
function entriesOf(inodes) {
  const first = /* @__PURE__ */ new Map();
  const entries = /* @__PURE__ */ new Map();
  for (const path of [...inodes.keys()].sort()) {
    const inode = inodes.get(path);
    const linkTo = first.get(inode);
    if (linkTo === void 0) first.set(inode, path);
    entries.set(path, linkTo === void 0 ? inode.entry : { ...inode.entry, linkTo });
  }
  return entries;
}

// test/conformance/image-record.ts
function recordImage(image, { bases, anyContent }) {
  const base = bases.flatMap(imagesOf).find((candidate) => standsOn(image, candidate));
  const own = treeOf(image, anyContent);
  const below = base === void 0 ? /* @__PURE__ */ new Map() : treeOf(base);
  const changed = [...own].filter(([path, line]) => below.get(path) !== line);
  const removed = [...below.keys()].filter((path) => !own.has(path));
  return {
    config: withoutEmpty(image.config.config ?? {}),
    ...image.config.author && { author: image.config.author },
    history: (image.config.history ?? []).slice(base?.config.history?.length ?? 0).map(historyLine),
    tree: Object.fromEntries(changed),
    ...removed.length > 0 && { removed }
  };
}
function standsOn(image, base) {
  const layers = image.config.rootfs.diff_ids;
  return base.config.rootfs.diff_ids.every((diffId, index) => layers[index] === diffId);
}
function treeOf({ layout, manifest }, anyContent = []) {
  const { entries } = treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));
  return new Map([...entries].map(([path, entry]) => [path, lineOf(anyContent.includes(path) ? { ...entry, sha256: void 0 } : entry)]));
}
function lineOf({ type, mode, uid, gid, ...rest }) {
  const content = rest.sha256 === void 0 ? [] : [`${rest.size}`, rest.sha256.slice(0, 16)];
  const target = rest.target === void 0 ? [] : [`-> ${rest.target}`];
  const link = rest.linkTo === void 0 ? [] : [`= ${rest.linkTo}`];
  const capability = rest.capability === void 0 ? [] : [`capability ${rest.capability}`];
  return [type, mode, `${uid}:${gid}`, rest.device ?? [], content, target, link, capability].flat().join(" ");
}
function historyLine({ created_by: createdBy = "", empty_layer: empty }) {
  return `${empty === true ? " " : "+"} ${inPresentWording(createdBy)}`;
}
function inPresentWording(createdBy) {
  const args = /^ARG (.*)$/s.exec(createdBy);
  if (args) return `ARG ${args[1].split(" ").map((word) => word.replace(/=.*/s, "")).join(" ")}`;
  const ports = /^EXPOSE map\[(.*)\]$/.exec(createdBy);
  if (ports) return `EXPOSE [${ports[1].split(" ").map((port) => port.replace(/:\{\}$/, "")).join(" ")}]`;
  const check = /^HEALTHCHECK &\{\[(.*)\] "(.*)" "(.*)" "(.*)" "(.*)" '(.*)'\}$/s.exec(createdBy);
  if (check === null) return createdBy;
  const [, test, interval, timeout, startPeriod, startInterval, retries] = check;
  const words = [...test.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, word]) => word.replace(/\\(.)/gs, "$1"));
  const times = `Interval:${interval} Timeout:${timeout} StartPeriod:${startPeriod} StartInterval:${startInterval}`;
  return `HEALTHCHECK {Test:[${words.join(" ")}] ${times} Retries:${numberOfRune(retries)}}`;
}
function numberOfRune(quoted) {
  if (quoted.startsWith("\\x")) return Number.parseInt(quoted.slice(2), 16);
  return quoted.startsWith("\\") ? 7 + "abtnvfr".indexOf(quoted[1]) : quoted.codePointAt(0);
}
function withoutEmpty(value) {
  const kept = Object.entries(value).filter(([, field]) => !isEmpty(field));
  return Object.fromEntries(kept.sort(([a], [b]) => a < b ? -1 : 1));
}
function isEmpty(field) {
  if (field === null || field === void 0 || field === "" || field === false) return true;
  return typeof field === "object" && Object.keys(field).length === 0;
}

// test/conformance/record.ts
var wanted = process.argv.slice(2);
var cases = listCases().filter(({ name }) => wanted.length === 0 || wanted.some((prefix) => name.startsWith(prefix)));
var runDirectory = mkdtempSync2(join7(tmpdir2(), "tbuild-record-"));
process.env[runDirectoryVariable] = runDirectory;
await recordAll().finally(() => rmSync(runDirectory, { recursive: true, force: true }));
async function recordAll() {
  var _stack = [];
  try {
    const daemon = __using(_stack, await startDocker(), true);
    for (const image of new Set(cases.flatMap(({ images }) => images))) await loadBaseImage(image, daemon.host);
    for (const one of cases) {
      const golden = await record(one, daemon.host);
      writeFileSync(one.golden, `${JSON.stringify(golden, null, 2)}
`);
      console.log("fails" in golden ? `${one.name}: fails: ${golden.fails}` : one.name);
    }
  } catch (_) {
    var _error = _, _hasError = true;
  } finally {
    var _promise = __callDispose(_stack, _error, _hasError);
    _promise && await _promise;
  }
}
async function record(one, host) {
  const tag = `conformance:${one.name.replaceAll("/", "-")}`;
  const args = ["buildx", "build", "--progress", "plain", "--tag", tag, ...one.args, "."];
  const options = { cwd: prepareContext(one), env: { DOCKER_HOST: host, BUILDX_NO_DEFAULT_ATTESTATIONS: "1" } };
  const { exitCode, stderr } = await runProcess("docker", args, options);
  if (exitCode !== 0) return { fails: messageOf(stderr) };
  const directory = scratchDirectory("saved");
  await docker(host, ["save", "--output", join7(directory, "image.tar"), tag]);
  await runChecked("tar", ["-xf", "image.tar"], { cwd: directory });
  return recordImage(imagesOf(directory)[0], { bases: one.images.map(baseImage), anyContent: one.anyContent });
}
function messageOf(stderr) {
  const message = stderr.match(/^ERROR: .*$/gm)?.at(-1) ?? stderr;
  return message.replace(/^ERROR: (failed to solve: )?/, "").replace(/: dial tcp.*/, "").replace(/failed to calculate checksum of ref \S+: /, "").replace(/\/tmp\/\S*\/merged/g, "");
}
