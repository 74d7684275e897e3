// In the sandboxed frame: hands the mutants to the viewer. The page's policy forbids style attributes, which the viewer
// sets for its bars; the same through the style object is allowed.
(() => {
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
  // The page has the mutants in few bytes; `_for_viewer` in html.py says what it leaves out.
  const whole = report => {
    let count = 0;
    for (const file of Object.values(report.files)) {
      for (const mutant of file.mutants) {
        const [line, column, lines, columns] = mutant.location;
        mutant.id = String(++count);
        mutant.location = { start: { line, column }, end: { line: line + lines, column: column + columns } };
        mutant.statusReason = mutant.statusReason?.replace("\0", () => mutant.killedBy[0]);
        mutant.coveredBy ??= mutant.killedBy && [...mutant.killedBy];
      }
    }
    return report;
  };
  addEventListener("message", async event => {
    if (event.source !== parent) return;
    const app = document.querySelector("mutation-test-report-app");
    app.report = whole(JSON.parse(event.data));
    await app.updateComplete;
    parent.postMessage("shown", "*");
  });
  parent.postMessage("ready", "*");
})();
