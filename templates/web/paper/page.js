"use strict";
// The signed code on paper, verified here: docs/reference/paper-page.md. Nothing is asked of anybody.
const part = (id) => document.getElementById(id);
const { keys, ...list } = JSON.parse(part("list").textContent);
const words = JSON.parse(part("words").textContent);

// 1. Reading: the one spelling of a code, or the reason why it is none (docs/reference/paper-code.md).
class Refused extends Error {}
const refuse = (reason) => {
  throw new Refused(reason);
};
const demand = (holds, reason) => holds || refuse(reason);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const number = (bytes) => BigInt(`0x${hex(bytes)}`);
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
const MOST_DEEP = 8;
const WIDTHS = { 24: 1, 25: 2, 26: 4, 27: 8 };
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const LAST_DAY = Date.UTC(2999, 11, 31) / 86400000;
const BASE_33 = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";
const BASE_32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY";

function bytesOf(text) {
  const from = text.indexOf("#");
  const found = /^#([1-9][0-9]{99,3999})(?![0-9])/.exec(from < 0 ? "" : text.slice(from));
  demand(found, "form");
  const plain = BigInt(found[1]).toString(16);
  const bytes = Uint8Array.from((plain.length % 2 ? `0${plain}` : plain).match(/../g), (two) => parseInt(two, 16));
  demand(bytes[0] === 1 && number(bytes).toString() === found[1], "version");
  return bytes.subarray(1);
}

// Deterministic CBOR and no other (RFC 8949, 4.2.1). Maps have integers for keys.
function cbor(bytes) {
  let at = 0;
  const take = (count) => {
    demand(count <= bytes.length - at, "truncated");
    at += Number(count);
    return bytes.subarray(at - Number(count), at);
  };
  const head = () => {
    const [first] = take(1);
    const [major, short] = [first >> 5, first & 31];
    demand(major < 6, first === 0xff ? "indefinite" : "type");
    if (short < 24) return [major, short];
    demand(short !== 31, "indefinite");
    const width = WIDTHS[short];
    demand(width, "type");
    const value = number(take(width));
    demand(value >= (width === 1 ? 24n : 1n << BigInt(4 * width)), "not-minimal");
    return [major, value <= Number.MAX_SAFE_INTEGER ? Number(value) : value];
  };
  const counted = (count) => demand(count <= bytes.length - at, "truncated") && Number(count);
  const item = (depth) => {
    demand(depth <= MOST_DEEP, "depth");
    const [major, value] = head();
    if (major === 0) return value;
    if (major === 1) return typeof value === "number" ? -1 - value : -1n - value;
    if (major === 2) return take(value);
    if (major === 3) return utf8(take(value));
    if (major === 4) return Array.from({ length: counted(value) }, () => item(depth + 1));
    const found = new Map();
    let last = "";
    for (let left = counted(value); left; left--) {
      const start = at;
      const key = item(depth + 1);
      demand(typeof key === "number" || typeof key === "bigint", "type");
      const spelled = hex(bytes.subarray(start, at));
      demand(!found.has(key), "duplicate-key");
      demand(spelled >= last, "key-order");
      last = spelled;
      found.set(key, item(depth + 1));
    }
    return found;
  };
  const value = item(0);
  demand(at === bytes.length, "trailing");
  return value;
}

function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("text");
  }
}

function known(value, needed, may = []) {
  demand(value instanceof Map && needed.every((key) => value.has(key)), "claims");
  demand([...value.keys()].every((key) => needed.includes(key) || may.includes(key)), "claims");
  return value;
}

const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length);
const isWhole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
const isOf = (value, alphabet, length) =>
  typeof value === "string" && value.length === length && [...value].every((char) => alphabet.includes(char));

// The last character of a number closes a sum over GF(32) = GF(2)[x] / (x^5 + x^2 + 1).
function isNumber(text) {
  const plain = typeof text === "string" && /^.{5}-.{5}-.{4}$/.test(text) ? text.replace(/-/g, "") : "";
  if (!isOf(plain, BASE_32, 14)) return false;
  const sum = [...plain].slice(0, 13).reduce((total, char) => {
    const doubled = (total ^ BASE_32.indexOf(char)) << 1;
    return doubled & 32 ? doubled ^ 37 : doubled;
  }, 0);
  return BASE_32[sum] === plain[13];
}

// GB 32100-2015, 4.5.
function isUscc(text) {
  if (!isOf(text, BASE_31, 18)) return false;
  let power = 1;
  return [...text].reduce((sum, char, at) => {
    if (at === 17) return sum + BASE_31.indexOf(char);
    const next = sum + BASE_31.indexOf(char) * power;
    power = (power * 3) % 31;
    return next;
  }, 0) % 31 === 0;
}

// GB 16735-2019, annex A.
function isVin(text) {
  const values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9];
  const weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
  const sum = [...text].reduce((total, char, at) => total + values[BASE_33.indexOf(char)] * weights[at], 0);
  return "0123456789X"[sum % 11] === text[8];
}

function vinOf(bytes) {
  let left = number(bytes);
  let vin = "";
  for (let place = 0; place < 17; place++) {
    vin = BASE_33[Number(left % 33n)] + vin;
    left /= 33n;
  }
  demand(left === 0n && isVin(vin), "claim");
  return vin;
}

function vinsOf(bytes) {
  demand(isBytes(bytes) && bytes.length && bytes.length % 11 === 0 && bytes.length <= 220, "claim");
  const vins = Array.from({ length: bytes.length / 11 }, (_, at) => vinOf(bytes.subarray(11 * at, 11 * at + 11)));
  demand(new Set(vins).size === vins.length, "claim");
  return vins;
}

function claimsOf(value) {
  const outer = known(value, [1, 2, 6, -65537]);
  const inner = known(outer.get(-65537), [1, 2, 3, 6], [4, 5, 7]);
  const [issuer, number_, issued, digest, exporter] = [outer.get(1), outer.get(2), outer.get(6), inner.get(3), inner.get(6)];
  const [destination, status, page, until] = [inner.get(2), inner.get(4), inner.get(5), inner.get(7)];
  const isPair = (pair) => Array.isArray(pair) && pair.length === 2;
  demand(isUscc(issuer) && isNumber(number_) && isUscc(exporter), "claim");
  demand(isWhole(issued, 0, 2 ** 35 - 1) && isBytes(digest, 32), "claim");
  demand(typeof destination === "string" && /^[A-Z]{2}$/.test(destination), "claim");
  demand(!inner.has(7) || isWhole(until, 0, LAST_DAY), "claim");
  demand(
    !inner.has(4) || (isPair(status) && isWhole(status[0], 1, 2 ** 32 - 1) && isWhole(status[1], 0, 131071)),
    "claim",
  );
  demand(!inner.has(5) || (isPair(page) && isWhole(page[1], 2, 10) && isWhole(page[0], 1, page[1])), "claim");
  return { issuer, number: number_, issued, vins: vinsOf(inner.get(1)), destination, digest: hex(digest), exporter, status, page, until };
}

function kidOf(bytes) {
  const header = cbor(bytes);
  demand(header instanceof Map, "cose");
  demand(!header.has(1) || header.get(1) === -7, "algorithm");
  demand(header.size === 2 && header.has(1) && isBytes(header.get(4), 8), "cose");
  return hex(header.get(4));
}

// Sig_structure (RFC 9052, 4.4): ["Signature1", protected, external_aad, payload].
function toBeSigned(protected_, payload) {
  const string = (bytes) => [...(bytes.length < 24 ? [64 + bytes.length] : bytes.length < 256 ? [88, bytes.length]
    : [89, bytes.length >> 8, bytes.length & 255]), ...bytes];
  const ascii = (text) => [...text].map((char) => char.charCodeAt(0));
  return Uint8Array.from([132, 106, ...ascii("Signature1"), ...string(protected_), ...string(ascii("signer/paper/1")),
    ...string(payload)]);
}

function read(text) {
  const bytes = bytesOf(text);
  demand(bytes[0] === 0xd2, "cose");
  const parts = cbor(bytes.subarray(1));
  demand(Array.isArray(parts) && parts.length === 4, "cose");
  const [header, bare, payload, signature] = parts;
  demand(isBytes(header) && bare instanceof Map && !bare.size && isBytes(payload) && isBytes(signature), "cose");
  const kid = kidOf(header);
  const claims = claimsOf(cbor(payload));
  demand(signature.length === 64, "cose");
  demand(2n * number(signature.subarray(32)) <= ORDER, "high-s");
  return { kid, claims, signature, signed: toBeSigned(header, payload) };
}

// 2. Judging: what failed outranks what could not be decided (docs/reference/paper-page.md).
const [DAY, BEIJING, SKEW] = [86400, 28800, 300];
const seconds = (instant) => (instant ? Date.parse(instant) / 1000 : Infinity);
const red = (code, why) => ({ code, colour: "red", why });
const open = (why, more) => ({ code: "INDETERMINATE", colour: "amber", why, ...more });

async function isSigned(code, key) {
  const spki = Uint8Array.from(atob(key.spki), (char) => char.charCodeAt(0));
  const kind = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("spki", spki, kind, false, ["verify"]);
  return crypto.subtle.verify(kind, imported, code.signature, code.signed);
}

async function judge(text, now) {
  let code;
  try {
    code = read(text);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return red("CODE_INVALID", error.message);
  }
  const { issued, number, issuer, until } = code.claims;
  const key = keys.find(({ kid }) => kid === code.kid);
  try {
    if (key && !(await isSigned(code, key))) return red("CODE_INVALID", "signature");
  } catch {
    return open("no-crypto", { number });
  }
  if (key && key.uscc !== issuer) return red("UNKNOWN_SEAL", "issuer");
  if (key && !isEntitled(key, issued)) return red("UNKNOWN_SEAL", "not-entitled");
  const [made, ends, since] = [list.issued, list.expires, key?.since].map(seconds);
  if (now < made - SKEW) return open("clock", { number, at: now });
  if (now >= ends) return open("list-expired", { number, at: ends });
  if (!key && issued > made) return open("list-older", { number, at: issued });
  if (!key) return red("CODE_INVALID", "unknown-key");
  if (key.state === "revoked" || key.state === "suspended") return open(key.state, { number, at: since });
  if (issued > now + SKEW) return open("future", { number, at: issued });
  const proven = { number, at: issued, claims: code.claims, key };
  if (until < Math.floor((now + BEIJING) / DAY)) return { code: "PAST_END", colour: "amber", why: "past-end", ...proven };
  return { code: "PAPER_GENUINE", colour: "blue", why: "genuine", ...proven };
}

// Of a revoked key the time in a code says nothing: whoever has the key writes any.
function isEntitled({ state, from, until, since }, issued) {
  if (state === "revoked") return true;
  if (issued < seconds(from) || issued >= seconds(until)) return false;
  return state !== "verify-only" || issued < seconds(since);
}

// 3. Showing, in the reader's language.
const tongues = Object.keys(words);
let tongue = (navigator.languages || []).map((tag) => tag.slice(0, 2)).find((tag) => tongues.includes(tag)) || "en";
let answer = null;
const isRightToLeft = () => words[tongue].dir === "rtl";
const say = (key, values = {}) =>
  words[tongue][key].replace(/\{(\w+)\}/g, (_, name) => (isRightToLeft() ? `\u2068${values[name]}\u2069` : values[name]));

function make(kind, about = {}, ...within) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(about)) made.setAttribute(name, value);
  made.append(...within.filter((one) => one !== ""));
  return made;
}
const figures = (text) => make("code", { dir: "ltr", translate: "no" }, text);
const vin = (text) => {
  const groups = [text.slice(0, 3), text.slice(3, 9), text.slice(9)];
  return make("code", { dir: "ltr", translate: "no", class: "vin" }, ...groups.map((group) => make("span", {}, group)));
};

function day(days, style = { dateStyle: "long" }) {
  const when = new Date(days * DAY * 1000);
  if (tongue === "zh" || tongue === "en") return when.toISOString().slice(0, style.timeStyle ? 16 : 10).replace("T", " ");
  return new Intl.DateTimeFormat(tongue, { ...style, timeZone: "UTC" }).format(when);
}
const instant = (at) => `${day((at + BEIJING) / DAY, { dateStyle: "long", timeStyle: "short" })} (UTC+8)`;

function country(code) {
  const printed = words[tongue].printed[code];
  if (printed) return printed;
  try {
    return new Intl.DisplayNames([tongue], { type: "region" }).of(code);
  } catch {
    return "";
  }
}

const untilOf = ({ until }) => (until === undefined ? say("content.no-until") : day(until));

function lines({ claims, key }) {
  return [
    ["content.number", figures(claims.number)],
    ["content.maker", make("bdi", {}, key.name), figures(key.uscc)],
    ["content.exporter", figures(claims.exporter)],
    ["content.destination", figures(claims.destination), make("bdi", {}, country(claims.destination))],
    ["content.until", untilOf(claims)],
    ["v.issued", instant(claims.issued)],
  ];
}

// One line to compare, with a box to tick: the whole line is its label.
const line = (...within) => make("label", {}, make("input", { type: "checkbox" }), make("span", {}, ...within));
const spaced = (parts) => parts.flatMap((one, at) => (at ? [" ", one] : [one]));

function drawData() {
  const { claims, key } = answer;
  part("facts").replaceChildren(
    ...lines(answer).map(([name, ...value]) =>
      make("li", {}, line(make("span", { class: "name" }, say(name)), " ", make("span", {}, ...spaced(value)))),
    ),
  );
  part("vins-title").textContent = say("v.vins", { n: claims.vins.length });
  part("vins").replaceChildren(...claims.vins.map((one) => make("li", {}, line(vin(one)))));
  part("page").hidden = !claims.page;
  if (claims.page) part("page").textContent = say("v.page", { n: claims.page[0], m: claims.page[1] });
  const details = [["v.digest", claims.digest], ["v.kid", key.kid]];
  if (claims.status) details.push(["v.status", claims.status.join(" / ")]);
  part("details").replaceChildren(...details.flatMap(([name, value]) => [make("dt", {}, say(name)), make("dd", {}, figures(value))]));
}

function drawAnswer() {
  const { code, colour, why, number, at, key } = answer;
  const [verdict, name] = [words[tongue].codes[code], key ? key.name : ""];
  part("banner").className = `banner ${colour}`;
  part("banner").querySelector("use").setAttribute("href", `#${colour}`);
  part("outcome").replaceChildren(say(colour === "red" ? "outcome.fail" : "outcome.review"), ...(list.test ? [" ", make("strong", { class: "tag" }, "TEST")] : []));
  part("verdict").textContent = verdict;
  part("of").replaceChildren(...spaced([...(number ? [figures(number)] : []), ...(name ? [make("bdi", {}, name)] : [])]));
  const meaning = `v.why.${why}` in words[tongue] ? why : "damaged";
  part("means").textContent = say(`v.why.${meaning}`, { issuer: name, at: at === undefined ? "" : instant(at), until: key ? untilOf(answer.claims) : "" });
  document.title = [verdict, number, name, say("v.title")].filter(Boolean).join(" · ");
  if (key) drawData();
}

function draw() {
  document.documentElement.lang = words[tongue].tag;
  document.documentElement.dir = words[tongue].dir;
  const values = { n: list.sequence, at: instant(seconds(list.expires)) };
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = say(place.dataset.t, values);
  for (const button of part("tongues").children) button.setAttribute("aria-pressed", button.lang === words[tongue].tag);
  part("tongues").setAttribute("aria-label", say("site.language"));
  part("online").href = `${list.base}/verify${answer?.number ? `#${answer.number}` : ""}`;
  part("banner").hidden = !answer;
  part("blank").hidden = Boolean(answer);
  part("checked").textContent = answer ? say("v.checked", { at: instant(answer.now) }) : "";
  part("data").hidden = !answer?.key;
  document.title = say("v.title");
  for (const id of ["facts", "vins", "details", "page"]) part(id).replaceChildren();
  if (answer) drawAnswer();
}

let turn = 0;

async function show(text) {
  const now = Date.now() / 1000;
  const mine = ++turn;
  const found = text ? { ...(await judge(text, now)), now } : null;
  if (mine !== turn) return; // another code was asked about meanwhile
  answer = found;
  draw();
  if (answer) part("verdict").focus();
}

part("tongues").replaceChildren(
  ...tongues.map((tag) => {
    const button = make("button", { type: "button", lang: words[tag].tag }, words[tag].name);
    button.onclick = () => {
      tongue = tag;
      draw();
    };
    return button;
  }),
);
part("again").onsubmit = (event) => {
  event.preventDefault();
  show(part("text").value.trim() || "#");
};
part("print").onclick = () => print();
for (const one of document.querySelectorAll(".no-js")) one.hidden = true;
part("app").hidden = part("tongues").hidden = false;
part("test").hidden = !list.test;
addEventListener("hashchange", () => show(location.hash));
show(location.hash);
