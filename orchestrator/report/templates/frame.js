// In the sandboxed frame: hands the mutants to the viewer. The page's policy forbids style attributes, which the viewer
// sets for its bars; the same through the style object is allowed.
(() => {
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
  addEventListener("message", event => {
    if (event.source !== parent) return;
    const app = document.querySelector("mutation-test-report-app");
    app.report = event.data;
    parent.postMessage("shown", "*");
  });
  parent.postMessage("ready", "*");
})();
