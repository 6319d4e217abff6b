// Counts the page that it stands on, once a page view, and shows numbers of counters on it.
// docs/embed.md describes its attributes and elements. It is sent without comments, line ends and spaces
// as EmbeddedFile.condensed says: each statement ends with a semicolon.
{
  const tag = document.currentScript;
  const { namespace, count } = tag.dataset;
  if (!namespace) throw "counter.js: data-namespace is missing";

  // The page view: the key of the page, the promises of numbers, by verb and key, and what elements show,
  // or will show. The hash is that of the address when it was last looked at.
  let page, numbers, shown, hash;

  const say = (text) => console.info("counter.js: " + text);

  // MARK: - What the browser keeps

  // Reads a value, or writes it. A browser may forbid either.
  const memory = (storage, name, value) => {
    try {
      if (value) window[storage][name] = value;
      return window[storage][name];
    } catch {}
  };

  // Obeys #count=off and #count=on when the address comes to have it, and tells what is the case then.
  const obeyAddress = () => {
    if (hash == location.hash) return;
    hash = location.hash;
    const wish = /^#count=(off|on)$/.exec(hash)?.[1];
    if (!wish) return;
    const isOff = memory("localStorage", "counter.js", wish) == "off";
    alert(`This browser is ${isOff ? "not " : ""}counted here.`);
  };

  // Why the view is not counted; nothing when it is.
  const obstacle = () => {
    if (count == "never") return "data-count=never";
    if (memory("localStorage", "counter.js") == "off") return "#count=off";
    if (count == "always") return;
    if (navigator.webdriver) return "automated";
    if (/^((.+\.)?localhost|127\.[\d.]+|\[::1]|)$/.test(location.hostname)) return "local";
  };

  // MARK: - The name of the page

  const pageKey = () => {
    if (tag.dataset.key) return tag.dataset.key;
    let key = location.pathname;
    try {
      // %25 stays encoded where a bare % would look like the beginning of an encoding.
      key = decodeURI(key.replace(/%25/g, "%2525")).normalize().replace(/%25(?![\da-f]{2})/gi, "%");
    } catch {}
    key = key
      .replace(/%[\da-f]{2}/gi, (code) => code.toUpperCase())
      .replace(/\/+(index\.(html?|php))?$/i, "");
    // A key has 128 bytes at most. A longer one is cut, and ends with a hash of all of it.
    const bytes = new TextEncoder().encode(key);
    if (bytes.length <= 128) return key || "/";
    // The bytes are digits to the base 131. The remainder by this prime is exact in a double.
    const hash = bytes.reduce((sum, byte) => (sum * 131 + byte) % (2 ** 45 - 55), 0);
    // A character that the cut divides is left out: in a stream, the rest of it could follow.
    const start = new TextDecoder().decode(bytes.slice(0, 118), { stream: true });
    return start + "~" + hash.toString(36);
  };

  // MARK: - Requests that a browser sends without asking the server first

  // The lines of the answer. A counter that nobody has hit is 0.
  const ask = async (verb, keys) => {
    const query = "?key=" + keys.map(encodeURIComponent).join("&key=");
    const response = await fetch(new URL(verb + "/" + encodeURIComponent(namespace) + query, tag.src), {
      method: verb == "hit" ? "POST" : "GET",
      headers: { Accept: "text/plain" },
      credentials: "omit",
      referrerPolicy: "no-referrer",
      keepalive: true,
    });
    const text = await response.text();
    if (response.ok) return text.replace(/^-$/gm, 0).split("\n");
    // One key that is refused spoils the answer to the others. Each is asked for by itself then.
    if (keys[2] && response.status < 500) return [];
    throw text;
  };

  // Keys that are read at the same moment are read with one request, up to 16.
  let keys = [];
  let lines;
  const read = async (key) => {
    if (keys.length % 16 == 0) {
      const batch = (keys = []);
      // The promise resolves when this moment is over.
      lines = new Promise(setTimeout).then(() => {
        if (keys == batch) keys = [];
        // Of several keys, one that nobody has hit is no error.
        return ask("get", [...batch, key]);
      });
    }
    const place = keys.push(key) - 1;
    return (await lines)[place] ?? (await ask("get", [key, key]))[0];
  };

  // What the server answers, or the number that this tab was told last, or nothing.
  const answer = async (verb, key) => {
    const name = "counter.js " + namespace + "/" + key;
    try {
      const number = verb == "hit" ? (await ask(verb, [key]))[0] : await read(key);
      if (!/^-?\d+$/.test(number)) throw "no number";
      return memory("sessionStorage", name, number) ?? number;
    } catch (error) {
      say(error);
      // An element that changes asks again. A visit is never sent again.
      numbers["get" + key] = null;
      return memory("sessionStorage", name);
    }
  };

  // The promise of a counter's number in this view. A counter that is hit is not read, too.
  const number = (key, mode) => {
    const verb = numbers["hit" + key] || (mode == "hit" && !obstacle()) ? "hit" : "get";
    return (numbers[verb + key] ??= answer(verb, key));
  };

  // MARK: - Elements

  // The attributes that decide what an element shows.
  const attributes = ["what", "key", "data-key", "mode", "format"];

  const formats = { grouped: {}, abbreviated: { notation: "compact", maximumFractionDigits: 1 } };

  const fill = async (element) => {
    const [what, key, dataKey, mode, format] = attributes.map(element.getAttribute, element);
    const theme = /^(busuanzi|vercount)_value_(page|site)_pv$/.exec(element.id);
    const name = key ?? dataKey ?? ((what ?? theme?.[2]) == "site" ? "site" : page);
    // An element that has not changed asks for nothing, also after a failure.
    const wish = [mode, format, !numbers["hit" + name], page, name].join();
    if (shown.get(element) == wish) return;
    shown.set(element, wish);
    let text = name && (await number(name, mode));
    if (!text || shown.get(element) != wish) return;
    try {
      if (formats[format])
        text = BigInt(text).toLocaleString(element.closest("[lang]")?.lang || [], formats[format]);
    } catch {}
    element.textContent = text;
    // Themes hide what stands around a number until it is known.
    const container = theme && document.querySelector("#" + element.id.replace("value", "container"));
    if (container) container.style.display = "inline";
  };

  // Also the elements of themes that were made for busuanzi or vercount.
  const fillAll = () =>
    document
      .querySelectorAll(
        "visit-counter,#busuanzi_value_page_pv,#busuanzi_value_site_pv,#vercount_value_page_pv,#vercount_value_site_pv",
      )
      .forEach(fill);

  // MARK: - The page view

  const view = () => {
    obeyAddress();
    const key = pageKey();
    if (key == page) return;
    page = key;
    numbers = {};
    shown = new WeakMap();
    const reason = obstacle();
    if (reason) say("not counted: " + reason);
    else number(page, "hit"), number("site", "hit");
    fillAll();
  };

  const start = () => {
    // A page that has the script twice is counted once.
    if (history.counter) return;
    history.counter = tag;
    view();
    let timer;
    new MutationObserver(() => {
      timer ??= setTimeout(() => fillAll((timer = null)), 50);
    }).observe(document, { childList: true, subtree: true, attributeFilter: attributes });
    // An application that shows another page changes the address. A step that it takes back at once is none.
    for (const name of ["pushState", "replaceState"]) {
      const change = history[name];
      history[name] = (...values) => {
        change.apply(history, values);
        setTimeout(view);
      };
    }
    addEventListener("popstate", view);
  };

  // A page that the browser prepares is not viewed yet. One that it restores is not viewed anew.
  if (document.prerendering) document.addEventListener("prerenderingchange", start);
  else start();
}
