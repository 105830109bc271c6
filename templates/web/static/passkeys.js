// Passkeys: asks the service what to ask the browser, and puts the answer into the form. Without this file a code does.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const read = (options) => {
  const found = { ...options, challenge: bytes(options.challenge) };
  if (options.user) found.user = { ...options.user, id: bytes(options.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"])
    if (options[list]) found[list] = options[list].map((one) => ({ ...one, id: bytes(one.id) }));
  return found;
};
const written = (credential) => {
  const { response } = credential;
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["authenticatorData", "signature", "userHandle", "attestationObject"])
    if (response[name]) parts[name] = text(response[name]);
  if (response.getTransports) parts.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: parts,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined, clientExtensionResults: {},
  });
};

const ask = async (place, form) => {
  const fields = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, about: place.dataset.about ?? "" });
  const answer = await fetch(place.dataset.passkeyAsk, { method: "POST", body: fields, redirect: "error" });
  if ([401, 403].includes(answer.status)) return null;
  if (!answer.ok) throw new Error(answer.status);
  return read(await answer.json());
};

const offer = (place) => {
  const form = place.closest("form");
  const told = place.querySelector("[data-passkey-told]");
  const run = async (field, get) => {
    told.textContent = "";
    try {
      const asked = await ask(place, form);
      // Where nothing may be asked the form goes without: its answer leads to what comes first, or says what is over.
      form.elements[field].value = asked ? written(await get(asked)) : "";
      form.noValidate = true;
      form.requestSubmit();
    } catch (error) {
      told.textContent = error.name === "InvalidStateError" && told.dataset.held ? told.dataset.held : told.dataset.failed;
    }
  };
  place.querySelector("[data-passkey-show]")?.addEventListener("click", () =>
    run("factor_assertion", (publicKey) => navigator.credentials.get({ publicKey })));
  place.querySelector("[data-passkey-make]")?.addEventListener("click", () =>
    run("passkey", (publicKey) => navigator.credentials.create({ publicKey })));
  for (const part of place.querySelectorAll("[data-passkey-offer]")) part.hidden = false;
};

if (window.PublicKeyCredential) for (const place of document.querySelectorAll("[data-passkey-ask]")) offer(place);
